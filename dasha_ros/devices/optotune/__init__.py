"""Optotune's electrically tunable lenses behind a Lens Driver 4 or 4i on a serial port."""
