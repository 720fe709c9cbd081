"""Reads photographs as linear light, and cuts objects out of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.assets.catalogue import asset, assets_dir, catalogue
from dasha_ros.files.arrays import read_arrays
from dasha_ros.files.errors import FileError
from dasha_ros.files.naming import expanded
from dasha_ros.files.pictures import MAX_PIXELS, read_picture, read_values
from dasha_ros.optics.tone import linear_of_srgb
from dasha_ros.twin.scene import (
    AlphaCut,
    CutoutLayer,
    DepthLayer,
    DisparityCut,
    EllipseCut,
    PolygonCut,
    RectangleCut,
    Scene,
    SceneError,
)

Image = NDArray[np.float32]

MOST_MAP_BYTES = 8 * MAX_PIXELS
"""Limit for a map's archive, unpacked: 8 bytes for each pixel of the largest photograph."""
LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Weights of linear R, G, B (ITU-R BT.709) for a monochrome sensor."""


def read_photograph(scene: Scene, name: str) -> tuple[Image, Image | None]:
    """Read a photograph in linear light.

    Args:
        scene: The scene; relative paths begin in its folder.
        name: Logical name, or a path.

    Returns:
        R, G, B in 0..1, shape (height, width, 3); and alpha, shape (height, width), if the file has it.

    Raises:
        AssetMissing: The photograph is fetched, and not on this machine; the message says what to run.
        SceneError: There is no such file, or it is not a picture.
    """
    path = _path(scene, name)
    try:
        picture = read_picture(path)
    except FileError as error:
        raise SceneError(f"scene {scene.name}: {error}") from error
    alpha = None if picture.alpha is None else np.asarray(picture.alpha, np.float32) / 255.0
    return np.asarray(linear_of_srgb()[picture.rgb], np.float32), alpha


def read_disparity(scene: Scene, name: str, shape: tuple[int, ...]) -> Image:
    """Read a disparity map [px]; 0 where it is unknown.

    In an ``.npz`` it is the first array. In a picture, values of 8 bits or floating point are pixels, and
    values of 16 bits are 1/256 px, as in KITTI. Values that are not finite count as unknown.

    Raises:
        AssetMissing: The map is fetched, and not on this machine; the message says what to run.
        SceneError: There is no such file, it is not a map, or does not have the photograph's ``shape``.
    """
    path = _path(scene, name)
    try:
        disparity = _map(path)
    except FileError as error:
        raise SceneError(f"scene {scene.name}: disparity map {error}") from error
    if disparity.shape != shape[:2]:
        turned = " (turned to stand upright, as its metadata says)" if disparity.shape == shape[1::-1] else ""
        raise SceneError(
            f"scene {scene.name}: disparity map {path} is {disparity.shape}, its photograph "
            f"{tuple(shape[:2])}{turned}: give a map of the same height and width"
        )
    return np.where(np.isfinite(disparity), disparity, 0.0).astype(np.float32)


def _map(path: Path) -> Image:
    if path.suffix.lower() != ".npz":
        values = read_values(path)
        divisor = 256.0 if values.dtype.kind in "iu" and values.dtype.itemsize > 1 else 1.0
        return _floats(values / divisor)
    arrays = read_arrays(path, MOST_MAP_BYTES)
    if not arrays:
        raise FileError(path, "holds no array")
    first = next(iter(arrays.values()))
    if first.dtype.kind not in "iuf":
        raise FileError(path, f"holds {first.dtype} values, not numbers")
    return _floats(first)


def _floats(values: NDArray[Any]) -> Image:
    """Convert to float32; values beyond it become infinite, which counts as unknown."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(values, np.float32)


def check_files(scene: Scene) -> None:
    """Check that every photograph and map of a scene can be read.

    Raises:
        AssetMissing: A fetched file is not on this machine; the message says what to run.
        SceneError: Another file is missing or can't be used; the message names it.
    """
    for layer in scene.layers:
        if isinstance(layer, CutoutLayer):
            cut_out(scene, layer)
            continue
        colour, _ = read_photograph(scene, layer.photo)
        if isinstance(layer, DepthLayer):
            read_disparity(scene, layer.map, colour.shape)


def cut_out(scene: Scene, layer: CutoutLayer) -> tuple[Image, Image]:
    """The colour and the alpha of a cut-out, trimmed to its visible part.

    The colour continues beyond the outline, so that the edge shows no light of the old background.

    Returns:
        Shapes (height, width, 3) and (height, width), linear, not pre-multiplied.

    Raises:
        SceneError: The cut-out is empty, or the photograph has no alpha channel.
    """
    colour, own_alpha = read_photograph(scene, layer.photo)
    mask = _mask(scene, layer, colour.shape, own_alpha)
    if not (mask > 0.5).any():
        raise SceneError(f"scene {scene.name}: the cut-out of {layer.photo} is empty; change its `cut`")
    rows, columns = np.flatnonzero((mask > 0.01).any(axis=1)), np.flatnonzero((mask > 0.01).any(axis=0))
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    colour, mask = colour[part], mask[part]
    if not isinstance(layer.cut, RectangleCut):
        inner = cv2.erode((mask > 0.5).astype(np.uint8), np.ones((3, 3), np.uint8))
        colour = spread(colour, inner.astype(np.float32) if inner.any() else mask)
    return colour, mask


def spread(colour: Image, weight: Image) -> Image:
    """Fill pixels without weight with the colours around them (pull-push on a pyramid).

    Args:
        colour: Shape (height, width, 3).
        weight: Shape (height, width), 0..1; 1 is kept, 0 is filled; at least one is not 0.
    """
    height, width = weight.shape
    if min(height, width) <= 2 or weight.min() >= 1.0:
        total = max(float(weight.sum()), 1e-9)
        mean = (colour * weight[..., None]).sum(axis=(0, 1)) / total
        return np.asarray(colour * weight[..., None] + mean * (1.0 - weight[..., None]), np.float32)
    half = ((width + 1) // 2, (height + 1) // 2)
    coarse_weight = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(colour * weight[..., None], half, interpolation=cv2.INTER_AREA)
    coarse /= np.maximum(coarse_weight, 1e-6)[..., None]
    filled = spread(coarse, (coarse_weight > 1e-3).astype(np.float32))
    around = cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(colour * weight[..., None] + around * (1.0 - weight[..., None]), np.float32)


def _path(scene: Scene, name: str) -> Path:
    local = scene.folder / name
    # A broken link, a folder or a pipe of this name is meant, too; reading it explains what is wrong.
    if os.path.lexists(local):
        return local
    path = expanded(name, lambda why: SceneError(f"scene {scene.name}: {why}"))
    if path.is_absolute():
        return path
    fetched = assets_dir() / name
    # Only of what can be fetched is it useful to say how. `Path.is_file` raises an error for too long a name.
    if os.path.isfile(fetched) or any(file.name == name for package in catalogue() for file in package.files):
        return asset(name)
    raise SceneError(
        f"scene {scene.name}: there is no file {local}, and {name} is none of the photographs and maps that "
        f"are fetched into {assets_dir()}: name a file relative to the scene's, one of those, or a whole path"
    )


def _mask(scene: Scene, layer: CutoutLayer, shape: tuple[int, ...], own_alpha: Image | None) -> Image:
    height, width = shape[:2]
    cut = layer.cut
    if isinstance(cut, AlphaCut):
        if own_alpha is None:
            raise SceneError(f"scene {scene.name}: {layer.photo} has no alpha channel; choose another `cut`")
        return own_alpha
    if isinstance(cut, DisparityCut):
        return _near_thing(read_disparity(scene, cut.map, shape), cut)
    mask = np.zeros((height, width), np.float32)
    if isinstance(cut, PolygonCut):
        points = np.array(cut.points) * (width, height) * 16
        cv2.fillPoly(mask, [points.round().astype(np.int32)], 1.0, cv2.LINE_8, shift=4)
        return _softened(mask)
    left, top, right, bottom = (round(f * n) for f, n in zip(cut.box, (width, height) * 2, strict=True))
    if right - left < 2 or bottom - top < 2:
        raise SceneError(
            f"scene {scene.name}: cut.box {list(cut.box)} must be left < right, top < bottom, and keep 2 x 2 "
            f"or more of the {width} x {height} pixels of {layer.photo}"
        )
    if isinstance(cut, EllipseCut):
        y, x = np.mgrid[:height, :width]
        across = (2.0 * x + 1 - left - right) / (right - left)
        down = (2.0 * y + 1 - top - bottom) / (bottom - top)
        return _softened((across**2 + down**2 <= 1.0).astype(np.float32))
    mask[top:bottom, left:right] = 1.0
    return mask


def _near_thing(disparity: Image, cut: DisparityCut) -> Image:
    """The largest connected region nearer than a disparity."""
    near = disparity > cut.above
    if cut.without_floor:
        near &= disparity > _floor(disparity, cut.above) + 1.0
    # Occlusions leave gaps of unknown disparity that are one pixel wide.
    closed = cv2.morphologyEx(near.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, regions, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    if count < 2:
        return np.zeros(disparity.shape, np.float32)
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return _softened((regions == largest).astype(np.float32))


def _floor(disparity: Image, above: float) -> Image:
    """The floor's disparity everywhere: a plane through the lowest rows, refitted to all pixels near it."""
    height, width = disparity.shape
    y, x = np.mgrid[:height, :width].astype(np.float64)
    belongs = (disparity > above) & (y >= 0.92 * height)
    plane = np.zeros((height, width))
    for _ in range(8):
        if belongs.sum() < 3:
            break
        terms = np.stack([x[belongs], y[belongs], np.ones(int(belongs.sum()))], axis=1)
        a, b, c = np.linalg.lstsq(terms, disparity[belongs].astype(np.float64), rcond=None)[0]
        plane = a * x + b * y + c
        belongs = (disparity > above) & (np.abs(disparity - plane) < 1.0)
    return np.asarray(plane, np.float32)


def _softened(mask: Image) -> Image:
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.7), np.float32)
