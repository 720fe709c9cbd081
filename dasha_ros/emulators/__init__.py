"""Floor 5. Devices in software, used through the real drivers."""
