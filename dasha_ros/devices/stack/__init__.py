"""A recorded focal stack as camera and lens: real pictures, taken once at many settings of a real lens."""
