"""Encoders turn a grey image into a latent vector, E(I) of paper Eq. 5; here they are made by name."""

from __future__ import annotations

from typing import Any

from dasha_ros.perception.encoders.encoder import Encoder
from dasha_ros.perception.encoders.joint import JointEncoder
from dasha_ros.perception.registry import Registry

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

    Several names joined by ``+`` make one encoder that concatenates their latents (see `joint`); each of
    them gets the options.
    """
    names = name.split("+")
    if len(names) == 1:
        return ENCODERS.create(name, **options)
    return JointEncoder([ENCODERS.create(part, **options) for part in names])
