"""Floor 8. Faults by the hundred against a whole graph, and a count of the promises that were kept."""
