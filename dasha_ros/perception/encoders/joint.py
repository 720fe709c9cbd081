"""Joins several encoders into one, for graphs whose two agents use different latents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dasha_ros.perception.encoders.encoder import Encoder
from dasha_ros.perception.errors import ModelError

SEPARATOR = "+"
SIZES: Mapping[str, int] = {
    "efficientnet_lite0": 1280,
    "efficientnet_lite0_early": 224,
    "efficientnet_lite0_grid": 6272,
    "resnet152": 2048,
    "resnet152_random": 2048,
}
"""Length of each encoder's latent by its id, for code that splits latents without loading a model."""


class JointEncoder:
    """Concatenates the latents of several encoders."""

    def __init__(self, encoders: Sequence[Encoder]) -> None:
        """Join encoders.

        Raises:
            ModelError: An encoder is in the list twice.
        """
        ids = [encoder.id for encoder in encoders]
        if len(set(ids)) < len(ids):
            raise ModelError(f"The encoder {SEPARATOR.join(ids)} names an encoder twice; name each once.")
        self._encoders = tuple(encoders)
        self.id = SEPARATOR.join(ids)
        self.size = sum(encoder.size for encoder in encoders)

    def encode(self, grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The latent vector, shape (size,), of an image H x W."""
        return np.concatenate([encoder.encode(grey) for encoder in self._encoders])


def joined(encoders: Iterable[str]) -> str:
    """The id of an encoder that makes all the latents that are read, each once; empty: none is.

    Args:
        encoders: Ids, which may be joined ones; empty: nothing is read.
    """
    parts = (part for encoder in encoders for part in encoder.split(SEPARATOR) if part)
    return SEPARATOR.join(dict.fromkeys(parts))


def size_of(encoder_id: str) -> int | None:
    """Length of a latent of this encoder, which may be a joint one; ``None``: it is not one of `SIZES`."""
    parts = encoder_id.split(SEPARATOR)
    return sum(SIZES[name] for name in parts) if set(parts) <= set(SIZES) else None


def has_part(encoder_id: str, wanted: str) -> bool:
    """Whether a latent of the encoder ``encoder_id`` contains that of ``wanted``."""
    return encoder_id == wanted or wanted in encoder_id.split(SEPARATOR)


def part_of_size(latent: NDArray[np.float32], encoder_id: str, wanted: str, size: int) -> NDArray[np.float32]:
    """`part` of a known length, for encoders that `SIZES` does not know.

    Raises:
        ModelError: See `part`; or the part has another length.
    """
    found = part(latent, encoder_id, wanted)
    if found.shape[-1] != size:
        raise ModelError(
            f"A latent of the encoder {wanted} has {found.shape[-1]} numbers here, and the policy was "
            f"trained with {size}: use the encoder that it was trained with, or train it again."
        )
    return found


def part(latent: NDArray[np.float32], encoder_id: str, wanted: str) -> NDArray[np.float32]:
    """Extract one encoder's latent from a joint one.

    Args:
        latent: Shape (..., size).
        encoder_id: Id of the encoder that made it.
        wanted: Id of the part.

    Returns:
        A view of shape (..., size of the part); ``latent`` itself if it is nothing else.

    Raises:
        ModelError: The part is not in the latent, or the length of the latent is wrong.
    """
    if encoder_id == wanted:
        return latent
    ids = encoder_id.split(SEPARATOR)
    if wanted not in ids:
        raise ModelError(
            f"A latent of the encoder {encoder_id} does not contain {wanted}: set perception's `encoder` to "
            f"{wanted} (or {encoder_id}{SEPARATOR}{wanted})."
        )
    sizes = [SIZES[name] for name in ids]
    if latent.shape[-1] != sum(sizes):
        raise ModelError(
            f"A latent of the encoder {encoder_id} has {sum(sizes)} numbers, this one {latent.shape[-1]}."
        )
    begin = sum(sizes[: ids.index(wanted)])
    return latent[..., begin : begin + SIZES[wanted]]
