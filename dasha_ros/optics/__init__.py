"""Floor 1. Lens models, the exposure table and the sensor: plain numpy, each formula with its source."""
