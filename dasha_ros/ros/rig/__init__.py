"""The rig over topics: commands, settlement, and the start of an episode."""
