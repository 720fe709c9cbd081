"""A recording as camera and lens: pictures that a robot took, at the settings that it had."""
