"""Model files: what they say of themselves, and how they are opened."""
