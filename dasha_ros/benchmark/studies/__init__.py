"""Studies: many comparisons and trainings as tasks, on the processors of this machine or of a cluster."""
