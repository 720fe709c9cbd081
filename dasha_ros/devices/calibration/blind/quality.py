"""Whether a scan can be believed: refuses flicker, movement, blank walls, scenes out of reach."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.devices.calibration.blind.pictures import Image, Shot
from dasha_ros.devices.calibration.blind.readings import parts
from dasha_ros.devices.calibration.profile import CalibrationError

FEWEST_PARTS = 4
"""Parts of the picture (of 24) that must have texture, stand still, and agree."""
FLICKER_MAX = 0.015
"""Change of brightness between two pictures of a still scene that is still none (share)."""
BEAT_MAX = 0.03
"""The same between neighbouring positions, where focus changes the mean a little, too."""
_BLOCK_PX = 8
_ROWS_EXPLAIN = 0.6
"""Share of a change that is equal along rows, from which on it is the lamp and nothing that moves."""
MOVED = 4.0
"""Two pictures of a position differ by this many times the noise where something moves."""
TEXTURE_MIN = 0.9
"""Least correlation of the textures of two pictures where there is texture and not noise alone."""
CONTRAST_MIN = 1.5
"""Sharpest against median picture of a scan: what is blank does not change."""
UNEXPLAINED_MAX = 0.12
"""Share of a part's contrast that may remain after blur is accounted for."""


def check_flicker(shots: Sequence[Shot]) -> None:
    """Refuse a lamp that flickers.

    Raises:
        CalibrationError: It does, and by how much.
    """
    pairs = [_brightness_change(*shot.pictures[:2]) for shot in shots if len(shot.pictures) > 1]
    lamp = np.array([strength for strength, share in pairs if share > _ROWS_EXPLAIN])
    means = np.log([max(float(shot.pictures[0].mean()), 1e-6) for shot in shots])
    bends = np.abs(np.diff(means, 2)) / np.sqrt(6.0) if len(means) > 2 else np.zeros(1)
    beat = float(np.sqrt(np.mean(np.square(bends))))
    often = len(lamp) >= 0.25 * len(pairs)
    strength = float(np.percentile(lamp, 75)) if often and lamp.size else 0.0
    if strength > FLICKER_MAX or beat > BEAT_MAX:
        raise CalibrationError(
            f"the light flickers, by {100 * max(strength, beat):.0f} % from picture to picture: use daylight"
            " or a lamp that does not flicker, or an exposure that is a multiple of 10 ms (of 8.33 ms where"
            " the mains have 60 Hz)"
        )


def check_movement(shots: Sequence[Shot]) -> None:
    """Refuse a scene most of which changes between two pictures of one position.

    Raises:
        CalibrationError: It does.
    """
    moved = np.array([_moved(*shot.pictures[:2]) for shot in shots if len(shot.pictures) > 1])
    if moved.size and float(np.median(moved.mean(axis=1))) > 0.5:
        raise CalibrationError(_MOVES)


def check_texture(energy: NDArray[np.float64], repeat: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which parts have texture, and are sharper at some positions of the whole range than at others.

    Args:
        energy: Of the texture, shape (parts, pictures).
        repeat: Correlation of two pictures at each part's sharpest position.

    Raises:
        CalibrationError: Too few.
    """
    contrast = energy.max(axis=1) / np.maximum(np.median(energy, axis=1), 1e-30)
    repeats = repeat > TEXTURE_MIN
    good = repeats & (contrast > CONTRAST_MIN)
    if int(repeats.sum()) < FEWEST_PARTS:
        raise CalibrationError(
            f"{int(repeats.sum())} of {len(good)} parts of the picture have fine texture, and {FEWEST_PARTS}"
            " are needed: put something like a newspaper or a book shelf before the camera, in good light"
        )
    if int(good.sum()) < FEWEST_PARTS:
        raise CalibrationError(
            "the picture is as sharp at one position as at all others: either the lens does not move, or the"
            " scene is far out of its reach, or it has no fine texture; put something like a newspaper or a"
            " book shelf before the camera"
        )
    return np.asarray(good)


def still(
    texture: NDArray[np.bool_], unexplained: NDArray[np.float64], noise: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Which of the parts with texture show one still plane.

    Args:
        texture: The parts with texture.
        unexplained: What blur does not explain, shape (parts,).
        noise: What noise explains of that, shape (parts,).

    Raises:
        CalibrationError: Too few.
    """
    good = texture & (unexplained - noise < UNEXPLAINED_MAX)
    if int(good.sum()) < FEWEST_PARTS:
        raise CalibrationError(_MOVES)
    return np.asarray(good)


def check_reach(
    centre: float, scanned: tuple[float, float], tried: tuple[float, float], pictures: int, unit: str
) -> None:
    """Refuse a scene that is sharp at an end of the scan or beyond.

    Args:
        centre: Where it is sharp.
        scanned: Ends of the fine scan.
        tried: Ends of what may be tried.
        pictures: How many positions the fine scan has.
        unit: For the message.

    Raises:
        CalibrationError: It is.
    """
    margin = 0.5 * (scanned[1] - scanned[0]) / max(1, pictures)
    if scanned[0] + margin < centre < scanned[1] - margin:
        return
    raise CalibrationError(
        f"the scene is sharpest at an end of what was tried, {tried[0]:g} to {tried[1]:g} {unit}: put it"
        " nearer to the camera or farther away, so that the lens can focus before it and behind it"
    )


_MOVES = (
    "the pictures differ by more than their focus: something moves before the camera, or the camera itself;"
    " calibrate with a still scene and a camera that stands firmly"
)


def _brightness_change(first: Image, second: Image) -> tuple[float, float]:
    """How much brighter rows became (rms share), and the share of all change that this explains."""
    one, two = (_blocks(picture) for picture in (first, second))
    change = two - one
    rows = one.mean(axis=1, keepdims=True)
    gain = change.mean(axis=1, keepdims=True) / np.maximum(rows, 1e-6)
    left = change - gain * one
    total = float(np.square(change).sum())
    explained = 1.0 - float(np.square(left).sum()) / max(total, 1e-30)
    return float(np.sqrt(np.mean(np.square(gain)))), explained


def _moved(first: Image, second: Image) -> NDArray[np.bool_]:
    """In which parts two pictures differ by more than noise, shape (parts,).

    Rows are compared at equal brightness, so that a flickering lamp moves nothing.
    """
    one, two = (p / np.maximum(p.mean(axis=1, keepdims=True), 1e-6) for p in (first, second))
    change = np.asarray(two - one, np.float32)
    # What a smoothed difference keeps of white noise is known; what moves keeps far more.
    smooth = cv2.GaussianBlur(change, (0, 0), 2.0)
    noise = np.median(np.abs(parts(change - smooth)), axis=1) * 1.4826
    kept = 1.0 / (2.0 * np.sqrt(np.pi) * 2.0)
    return np.asarray(parts(smooth).std(axis=1) > MOVED * kept * np.maximum(noise, 1e-4))


def _blocks(picture: Image) -> NDArray[np.float64]:
    height, width = (max(1, side // _BLOCK_PX) for side in picture.shape)
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.float64)
