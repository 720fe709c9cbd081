"""Random sequences of faults for the drivers, the same ones for the same seed."""
