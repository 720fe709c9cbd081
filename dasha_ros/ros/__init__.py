"""Floor 8. What the nodes share: conversions, quality of service, parameters, the rig over topics."""
