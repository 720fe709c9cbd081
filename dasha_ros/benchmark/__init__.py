"""Floor 5. The tables and figures: speed of a step, and policies against each other."""
