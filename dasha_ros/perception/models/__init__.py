"""Model files: reads their descriptions, and opens them."""
