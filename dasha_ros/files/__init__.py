"""Reads and writes users' files: a file that can't be used is refused in one sentence that names it."""
