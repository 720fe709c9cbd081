"""What the two agents' nodes share, and how they learn from goals."""
