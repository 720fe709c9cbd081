"""Floor 9. The graph, described once as plain data, and its processes, started, watched and ended."""
