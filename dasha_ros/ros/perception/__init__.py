"""What the perception node says to other packages, and hears from them."""
