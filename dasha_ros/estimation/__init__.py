"""Floor 3. Where the object's focus may be: readings of the latent, the belief, its candidates."""
