"""Encoders: from a grey image to a latent vector, E(I) of paper Eq. 5."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dasha_ros.perception.registry import Registry


class Encoder(Protocol):
    """Makes a latent vector of an image."""

    @property
    def id(self) -> str:
        """Network and layer; latents of different ids do not compare."""
        ...

    @property
    def size(self) -> int:
        """Length of the latent vector."""
        ...

    def encode(self, grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The latent vector, shape (size,), of an image H x W, 0..255."""
        ...


ENCODERS: Registry[Encoder] = Registry(
    "encoder",
    {
        "efficientnet_lite0": f"{__name__}.efficientnet_lite:EfficientNetLite0",
        "efficientnet_lite0_early": f"{__name__}.efficientnet_lite:EfficientNetLite0Early",
        "efficientnet_lite0_grid": f"{__name__}.efficientnet_lite:EfficientNetLite0Grid",
        "resnet152": f"{__name__}.resnet:ResNet152",
    },
)


def create_encoder(name: str, **options: Any) -> Encoder:
    """Make an encoder by name; see `Registry.create`.

    Several names joined by ``+`` make one encoder of their latents one after the other
    (see `joint`); options then go to each.
    """
    names = name.split("+")
    if len(names) == 1:
        return ENCODERS.create(name, **options)
    from dasha_ros.perception.encoders.joint import JointEncoder

    return JointEncoder([ENCODERS.create(part, **options) for part in names])
