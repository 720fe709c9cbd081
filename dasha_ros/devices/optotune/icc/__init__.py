"""Optotune's tunable lenses behind the controllers ICC-1C and ICC-4C, through Optotune's package optoICC."""
