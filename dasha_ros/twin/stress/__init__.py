"""What real cameras and lenses do to pictures, and the plain twin does not: one thing at a time."""
