"""Training both agents, decentralised: A^H first, then A^L from the exposures that A^H hands over."""
