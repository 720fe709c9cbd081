"""``dasha benchmark``: how often goals succeed, how sharp the result is, and how long a step takes."""
