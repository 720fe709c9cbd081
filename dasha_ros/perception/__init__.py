"""Floor 2. Turns an image into a `Percept`: encoders, detectors, BRISQUE, histogram."""
