"""Turns a scene's description into flat planes of light, ready to be blurred."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.twin.disc_blur import QUICK_RADIUS, Pyramid
from dasha_ros.twin.photograph import LUMINANCE, cut_out, read_disparity, read_photograph, spread
from dasha_ros.twin.scene import CutoutLayer, DepthLayer, Layer, PhotographLayer, Scene, SceneError

Image = NDArray[np.float32]

_BEYOND = 0.14
"""How far a slice of depth continues beyond the frame [frame widths]; the largest blur is 0.13."""


@dataclass(frozen=True)
class Plane:
    """A flat plane at one distance."""

    layer: int
    """Index into the scene's layers."""
    nearness: float
    """The layer's distance divided by the plane's: 1, or less for farther slices of a layer with depth."""
    colour: Pyramid
    """Linear light, pre-multiplied by alpha."""
    alpha: Pyramid | None
    """``None`` if the plane is opaque and fills the frame."""


def build_planes(scene: Scene, width: int, height: int, colour: bool) -> tuple[list[Plane], int]:
    """Build all planes of a scene at a suitable scale.

    A frame larger than its photographs shows no more detail than a smaller one. The planes are therefore
    built for a frame that is ``scale`` times smaller, a power of two, on which no photograph loses a pixel.

    Args:
        scene: The scene.
        width: Width of the frame [px].
        height: Height of the frame [px].
        colour: Three channels instead of one.

    Returns:
        The planes, and ``scale``; the planes' frame is ceil(size/scale).

    Raises:
        AssetMissing: A photograph is not on this machine; the message says what to run.
        SceneError: A photograph or map can't be used.
    """
    cuts = {
        i: cut_out(scene, layer) for i, layer in enumerate(scene.layers) if isinstance(layer, CutoutLayer)
    }
    photographs = {
        i: read_photograph(scene, layer.photo)[0]
        for i, layer in enumerate(scene.layers)
        if not isinstance(layer, CutoutLayer)
    }
    # Pixels of the frame per pixel of the photograph, for each layer.
    enlargements = [
        layer.width * width / cuts[i][1].shape[1]
        if isinstance(layer, CutoutLayer)
        else _cover(photographs[i].shape, width, height, layer.zoom)
        for i, layer in enumerate(scene.layers)
    ]
    scale = 1 << max(0, math.floor(math.log2(min(enlargements))))
    frame = (-(-width // scale), -(-height // scale))
    planes: list[Plane] = []
    for i, layer in enumerate(scene.layers):
        if isinstance(layer, CutoutLayer):
            planes.append(_cutout_plane(i, layer, cuts[i], frame, colour))
        elif isinstance(layer, DepthLayer):
            disparity = read_disparity(scene, layer.map, photographs[i].shape)
            planes += _slices(i, layer, (photographs[i], disparity), frame, colour)
        else:
            pixels = _lit(_fitted(_channels(photographs[i], colour), layer, frame), layer)
            planes.append(Plane(i, 1.0, Pyramid(pixels, endless=True), None))
    return planes, scale


def _channels(rgb: Image, colour: bool) -> Image:
    return rgb if colour else np.asarray(rgb @ np.array(LUMINANCE, np.float32), np.float32)


def _cover(shape: tuple[int, ...], width: int, height: int, zoom: float) -> float:
    return max(width / shape[1], height / shape[0]) * zoom


def _resized(image: Image, width: int, height: int) -> Image:
    shrinks = width < image.shape[1]
    out = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return np.asarray(np.clip(out, 0.0, 1.0), np.float32)


def _fitted(image: Image, layer: PhotographLayer | DepthLayer, frame: tuple[int, int]) -> Image:
    """The part of a photograph that fills the frame."""
    width, height = frame
    enlargement = _cover(image.shape, width, height, layer.zoom)
    size = [max(1, round(m * enlargement)) for m in image.shape[1::-1]]
    whole = _resized(image, size[0], size[1])
    left, top = (round(c * big - small / 2) for c, big, small in zip(layer.centre, size, frame, strict=True))
    rows, columns = _mirrored(top, height, size[1]), _mirrored(left, width, size[0])
    return np.ascontiguousarray(whole[rows[:, None], columns])


def _mirrored(first: int, count: int, size: int) -> NDArray[np.intp]:
    """Indices ``first`` to ``first + count`` of an axis of ``size`` that continues as its mirror image.

    If the axis is long enough for the range, it is shifted instead.
    """
    if size >= count:
        first = min(max(first, 0), size - count)
    place = np.arange(first, first + count) % (2 * size)
    return np.asarray(np.minimum(place, 2 * size - 1 - place), np.intp)


def _lit(pixels: Image, layer: Layer) -> Image:
    """Pixels in the layer's own light."""
    return pixels if layer.light == 1.0 else pixels * np.float32(layer.light)


def _with_alpha(colour: Image, alpha: Image) -> Image:
    return colour * (alpha if colour.ndim == 2 else alpha[..., None])


def _cutout_plane(
    index: int, layer: CutoutLayer, cut: tuple[Image, Image], frame: tuple[int, int], colour: bool
) -> Plane:
    rgb, mask = cut
    width = max(2, round(layer.width * frame[0]))
    height = max(2, round(width * mask.shape[0] / mask.shape[1]))
    alpha = _resized(mask, width, height)
    pixels = _lit(_with_alpha(_resized(_channels(rgb, colour), width, height), alpha), layer)
    x, y = (round(c * n - m / 2) for c, n, m in zip(layer.centre, frame, (width, height), strict=True))
    return Plane(index, 1.0, Pyramid(pixels, x, y), Pyramid(alpha, x, y))


def _slices(
    index: int, layer: DepthLayer, photograph: tuple[Image, Image], frame: tuple[int, int], colour: bool
) -> list[Plane]:
    """Slice a photograph with depth into planes at equal steps of dioptres, that is, of blur.

    Dioptres are linear in disparity, so the line through the nearest and the farthest distance scales the
    depths. A slice's blur is exact only to half a step, which is more than the error of `QUICK_RADIUS`.
    """
    rgb, disparity = photograph
    known = disparity > 0
    low, high = np.percentile(disparity[known], (0.2, 99.8)) if known.any() else (0.0, 0.0)
    if low >= high:
        raise SceneError(f"layers.{index}: the disparity map {layer.map} shows no depth")
    disparity = spread(np.repeat(disparity[..., None], 3, axis=2), known.astype(np.float32))[..., 0]
    farthest = layer.distance_m / layer.farthest_m
    nearness = farthest + (1.0 - farthest) * np.clip((disparity - low) / (high - low), 0.0, 1.0)
    edges = np.linspace(farthest, 1.0, layer.slices + 1)
    planes: list[Plane] = []
    for lower, upper in pairwise(edges):
        own = (nearness >= lower) & ((nearness < upper) | (upper == edges[-1]))
        if not own.any():
            continue
        # The slice continues behind nearer ones, so that nothing shines through between slices.
        pixels = _lit(_fitted(_channels(spread(rgb, own.astype(np.float32)), colour), layer, frame), layer)
        here = float(nearness[own].mean())
        if not planes:
            planes.append(Plane(index, here, Pyramid(pixels, endless=True, max_radius=QUICK_RADIUS), None))
            continue
        alpha = _fitted((nearness >= lower).astype(np.float32), layer, frame)
        # A slice that the frame cuts off continues beyond it, because that is not its own edge.
        beyond = math.ceil(_BEYOND * frame[0])
        alpha, pixels = (
            cv2.copyMakeBorder(image, beyond, beyond, beyond, beyond, cv2.BORDER_REFLECT)
            for image in (alpha, pixels)
        )
        rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
        if rows.size == 0:
            continue
        part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        x, y = int(columns[0]) - beyond, int(rows[0]) - beyond
        premultiplied = _with_alpha(pixels[part], alpha[part])
        planes.append(
            Plane(
                index,
                here,
                Pyramid(premultiplied, x, y, max_radius=QUICK_RADIUS),
                Pyramid(alpha[part], x, y, max_radius=QUICK_RADIUS),
            )
        )
    return planes
