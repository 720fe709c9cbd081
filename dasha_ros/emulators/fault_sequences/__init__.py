"""Random sequences of faults for the drivers; the same seed gives the same faults."""
