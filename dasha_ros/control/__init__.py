"""Floor 5. Everything that runs a goal: the `Rig`, and the loop of one agent over it."""
