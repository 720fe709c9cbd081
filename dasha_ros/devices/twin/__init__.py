"""The digital twin's camera and lens: no hardware, but real timing."""
