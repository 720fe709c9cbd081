"""What the two drivers' nodes share: the device's thread, its commands, its states."""
