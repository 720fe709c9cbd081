"""Floor 1. What is fetched, not shipped: photographs and models; and what is made of them."""
