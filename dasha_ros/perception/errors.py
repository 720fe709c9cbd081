"""What goes wrong in perception, said in sentences for people."""

from __future__ import annotations


class PerceptionError(Exception):
    """Perception cannot do what it was asked for."""


class ImageError(PerceptionError):
    """An image is not what its encoding says: wrong type, size or number of channels."""


class ModelError(PerceptionError):
    """A model file is missing, corrupt or another one, or a package that the model needs is missing."""


class UnknownModelError(PerceptionError, ValueError):
    """No encoder or detector has this name."""
