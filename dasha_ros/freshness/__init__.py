"""Floor 1. Which settings made a frame, and which frame answers a command: never use a stale frame."""
