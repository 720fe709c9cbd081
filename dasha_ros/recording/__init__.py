"""Floor 1. Recordings of a graph's topics: MCAP files that stay readable however a recording ends."""
