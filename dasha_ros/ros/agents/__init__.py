"""What the two agent nodes share, and how they learn from goals."""
