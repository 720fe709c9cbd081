"""Single episodes: their rows, a journal to go on from, intervals, and pages of what failed."""
