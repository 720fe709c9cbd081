"""Floor 0. The machine below: folders, streams, signals, shared memory, optional packages."""
