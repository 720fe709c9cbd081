"""Pictures for pylon's camera emulator."""
