"""Holding a focus, measured on sequences of the twin."""
