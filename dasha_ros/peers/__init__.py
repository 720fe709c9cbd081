"""Floor 3. The rivals, behind the same policy protocol as the agents."""
