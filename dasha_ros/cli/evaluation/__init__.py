"""``dasha evaluate``, and what other commands share with it."""
