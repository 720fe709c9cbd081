"""Basler cameras through pylon: GigE, USB, or pylon's own emulator."""
