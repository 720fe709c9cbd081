"""What ``dasha benchmark`` measures over a running graph."""
