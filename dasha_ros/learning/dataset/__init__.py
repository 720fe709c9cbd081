"""What is learned from: the percept cache and scene sets with their splits."""
