"""Encoders turn a grey image into a latent vector, E(I) of paper Eq. 5; here they are made by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dasha_ros.perception.encoders.encoder import Encoder
from dasha_ros.perception.encoders.joint import SEPARATOR, JointEncoder
from dasha_ros.perception.models.weights import check_onnx, check_torch
from dasha_ros.perception.registry import Registry

ENCODERS: Registry[Encoder] = Registry(
    "encoder",
    {
        "efficientnet_lite0": f"{__name__}.efficientnet_lite:EfficientNetLite0",
        "efficientnet_lite0_early": f"{__name__}.efficientnet_lite:EfficientNetLite0Early",
        "efficientnet_lite0_grid": f"{__name__}.efficientnet_lite:EfficientNetLite0Grid",
        "resnet152": f"{__name__}.resnet:ResNet152",
    },
    ("id", "encode"),
    {
        "efficientnet_lite0": check_onnx,
        "efficientnet_lite0_early": check_onnx,
        "efficientnet_lite0_grid": check_onnx,
        "resnet152": check_torch,
    },
)


def create_encoder(name: str, **options: Any) -> Encoder:
    """Make an encoder by name; see `Registry.create`.

    Several names joined by ``+`` make one encoder that concatenates their latents (see `joint`); each of
    them gets the options.
    """
    check_encoder(name, options.get("weights"))
    names = name.split(SEPARATOR)
    if len(names) == 1:
        return ENCODERS.create(name, **options)
    return JointEncoder([ENCODERS.create(part, **options) for part in names])


def check_encoder(name: str, weights: str | Path | None = None) -> None:
    """Refuse what no encoder can be made of, without loading one.

    Args:
        name: As `create_encoder` takes it.
        weights: The weights file of each; empty: their own.

    Raises:
        UnknownModelError: A name is unknown.
        ModelError: The weights file does not exist, or can't be one.
    """
    for part in name.split(SEPARATOR):
        ENCODERS.check(part, weights)
