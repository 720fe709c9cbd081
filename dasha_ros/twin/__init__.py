"""Floor 2. The digital twin: scenes, the renderer, the world and the lens as physics."""
