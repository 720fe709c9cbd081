"""Commands for real and emulated devices: ``lens``, ``camera``, ``calibrate`` and ``emulate``."""
