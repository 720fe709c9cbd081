"""What every node has: lifecycle, parameters, executor, diagnostics, and a guard against bad callbacks."""
