"""What all commands share on a terminal: options, progress, the output."""
