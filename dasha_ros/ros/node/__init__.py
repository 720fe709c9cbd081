"""A node: lifecycle, parameters, executor, health, and what keeps one bad callback from ending it."""
