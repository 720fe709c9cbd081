"""PPO: presets, runs, checkpoints, and learning from real goals."""
