"""Floor 10. What this machine has, what it lacks, and what to do about it; for ``dasha doctor``."""
