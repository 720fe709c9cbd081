"""Floor 1. What made a frame, and which frame answers a command (design: never a stale frame)."""
