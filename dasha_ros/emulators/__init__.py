"""Floor 4. Devices that exist only in software, spoken to through the real drivers."""
