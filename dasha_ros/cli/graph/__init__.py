"""``dasha up`` and what looks at a running graph."""
