"""From a scan with the lens's own camera to its profile."""
