"""The protocol of an encoder, E(I) of paper Eq. 5."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Encoder(Protocol):
    """Turns an image into a latent vector."""

    @property
    def id(self) -> str:
        """Network and layer; latents of different ids can't be compared."""
        ...

    @property
    def size(self) -> int:
        """Length of the latent vector."""
        ...

    def encode(self, grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The latent vector, shape (size,), of an image H x W, 0..255."""
        ...
