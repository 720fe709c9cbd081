"""A^L without reinforcement learning: rules that decide from the belief alone."""
