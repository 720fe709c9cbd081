"""What all commands share: options, progress, output and files."""
