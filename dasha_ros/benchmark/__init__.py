"""Floor 7. The tables and figures: speed of a step, and policies against each other."""
