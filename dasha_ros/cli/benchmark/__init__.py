"""``dasha benchmark``: how fast, how sharp, how sure."""
