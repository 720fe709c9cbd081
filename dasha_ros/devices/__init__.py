"""Floor 3. The `Camera` and `Lens` protocols and one module for each back end."""
