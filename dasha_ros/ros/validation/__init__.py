"""What is heard: messages are checked by type and by sender before any callback sees them."""
