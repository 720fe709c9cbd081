"""``dasha demo``."""
