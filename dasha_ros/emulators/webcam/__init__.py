"""A webcam in software that Linux's own driver takes for a real one: USB/IP, UVC, and the twin's picture."""
