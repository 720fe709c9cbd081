"""What agents read from latents, fitted before any learning by reward."""
