"""How much of the sign of defocus is in colour, measured on real focal stacks."""
