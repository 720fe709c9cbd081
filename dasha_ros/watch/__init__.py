"""Floor 11. ``dasha watch``: a page that shows a running graph, and sends it goals."""
