"""How many frames a device's picture lags behind its settings: measured once, kept for each model."""
