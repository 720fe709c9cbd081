"""``dasha setup-camera``: from a plugged-in camera to a parameter file and a first goal, step by step."""
