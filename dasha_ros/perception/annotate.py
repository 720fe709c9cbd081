"""Draws a percept into its picture."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.perception.percept import Percept

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_SCALE = 0.45
_LINE_HEIGHT = 18
_WHITE = (255, 255, 255)
_BLACK = (0, 0, 0)
_STRONG = (80, 220, 80)
_WEAK = (80, 200, 240)
_STRONG_SCORE = 0.5


def annotate(image: NDArray[np.uint8], percept: Percept, min_score: float = 0.25) -> NDArray[np.uint8]:
    """A colour copy of a picture with boxes, labels and settings drawn in.

    Args:
        image: H x W in grey or H x W x 3 in BGR, of any size: boxes are scaled to it.
        percept: The percept of the picture.
        min_score: Weaker detections are not drawn.

    Returns:
        H x W x 3, BGR.
    """
    canvas: Any = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.ndim == 2 else image.copy()
    height, width = canvas.shape[:2]
    scale = (width / percept.width, height / percept.height)
    for found in reversed(percept.of((), min_score)):  # so that the best one is on top
        colour = _STRONG if found.score >= _STRONG_SCORE else _WEAK
        x_min, x_max = (round(x * scale[0]) for x in found.box[::2])
        y_min, y_max = (round(y * scale[1]) for y in found.box[1::2])
        cv2.rectangle(canvas, (x_min, y_min), (x_max, y_max), colour, 2)
        _write(canvas, f"{found.label} {found.score:.2f}", x_min, max(y_min, _LINE_HEIGHT), colour)
    lines = (
        f"exposure {_duration(percept.capture.exposure_us)}  lens {_lens(percept)}",
        f"BRISQUE {percept.brisque:.1f}  mean {percept.mean_grey:.0f}  peak {percept.histogram_peak:.0f}",
    )
    for number, line in enumerate(lines):
        _write(canvas, line, 4, height - 6 - _LINE_HEIGHT * (len(lines) - 1 - number), _WHITE)
    return np.asarray(canvas, dtype=np.uint8)


def to_jpeg(image: NDArray[np.uint8], quality: int = 80) -> bytes:
    """Encode a picture, H x W or H x W x 3 in BGR, as a JPEG file.

    Args:
        image: The picture.
        quality: 0 to 100.
    """
    _, content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(content)


def _write(canvas: Any, text: str, x: int, baseline: int, colour: tuple[int, int, int]) -> None:
    """Write text on a dark background, inside the picture."""
    (text_width, text_height), below = cv2.getTextSize(text, _FONT, _FONT_SCALE, 1)
    x = max(0, min(x, canvas.shape[1] - text_width - 2))
    cv2.rectangle(canvas, (x, baseline - text_height - below), (x + text_width + 2, baseline + 2), _BLACK, -1)
    cv2.putText(canvas, text, (x + 1, baseline - 2), _FONT, _FONT_SCALE, colour, 1, cv2.LINE_AA)


def _lens(percept: Percept) -> str:
    return f"{percept.lens.position:.2f} {percept.lens.unit}".rstrip()


def _duration(microseconds: float) -> str:
    if microseconds < 1e3:
        return f"{microseconds:.0f} us"
    return f"{microseconds / 1e3:.1f} ms" if microseconds < 1e6 else f"{microseconds / 1e6:.2f} s"
