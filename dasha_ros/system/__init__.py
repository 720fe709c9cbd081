"""Floor 0. The machine that the package runs on: folders, streams, shared memory, optional packages."""
