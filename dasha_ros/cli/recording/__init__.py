"""``dasha record`` and ``dasha replay``."""
