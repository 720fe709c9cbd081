"""From a scan of any still scene to blur in pixels: no target, no distances, no network."""
