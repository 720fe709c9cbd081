"""Floor 0. Users' files, read and written: one that can't be used is refused in a sentence that names it."""
