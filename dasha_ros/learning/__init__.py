"""Floor 6. How agents learn: environments, percept caches, fits, training, and episodes to score them by."""
