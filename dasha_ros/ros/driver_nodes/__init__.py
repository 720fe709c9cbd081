"""What the two driver nodes share: the device's thread, its commands and its states."""
