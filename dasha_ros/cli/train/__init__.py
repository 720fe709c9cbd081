"""``dasha train``: agents that learn from a percept cache, in minutes."""
