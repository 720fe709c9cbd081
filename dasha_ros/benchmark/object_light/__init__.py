"""What the second look of A^H, at the object's own light, is worth."""
