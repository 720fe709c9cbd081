"""Floor 10. Plays hundreds of faults against a whole graph, and counts the promises that it keeps."""
