"""The parts of a goal of the focus server: what it asks of the agents, and what it tells."""
