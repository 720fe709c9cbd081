"""Floor 1. Photographs and models that are fetched at set-up, and the files converted from them."""
