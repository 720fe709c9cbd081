"""Floor 4. A^H and A^L: spaces, observations, rewards, ends of episodes, and what a policy is."""
