"""``dasha study``."""
