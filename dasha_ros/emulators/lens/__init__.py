"""A Varioptic driver board on a pseudo-terminal."""
