"""Floor 2. From an image to a `Percept`: encoders, detectors, BRISQUE, histogram."""
