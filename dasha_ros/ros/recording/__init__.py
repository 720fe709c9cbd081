"""Records the topics of a running graph, whatever their types."""
