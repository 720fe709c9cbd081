"""The errors of perception; their messages are sentences for users."""

from __future__ import annotations


class PerceptionError(Exception):
    """Base of all errors of perception."""


class ImageError(PerceptionError):
    """An image is not what its encoding says: wrong type, size or number of channels."""


class ModelError(PerceptionError):
    """A model file is missing, corrupt or the wrong one, or the model needs a missing package."""


class UnknownModelError(PerceptionError, ValueError):
    """No encoder or detector has this name."""
