"""Whether the light flickers with the mains, from pictures that nobody took for that.

A lamp on the mains is brightest at both peaks of the current: 100 times a second at 50 Hz, 120 times at
60 Hz. An exposure takes its mean, so a picture under such a lamp is brighter or darker by the moment at which
it was begun; and where a shutter rolls, every row has a moment of its own. So while neither exposure nor lens
changes, each band of rows gets brighter and darker with the times of the pictures, at one of two frequencies.
Whatever moves changes parts of a band, a person's switch changes all of them once, and clouds slowly.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.freshness.state import NOWHERE, CaptureInfo
from dasha_ros.optics.exposure_table import LAMPS_HZ, flicker_shown

PICTURES, MOST_PICTURES = 8, 24
"""Fewest and most pictures of one setting that are compared."""
OLDEST_S = 20.0
"""Pictures older than this are not compared: the mains keep no time for so long."""
LEAST = 0.01
"""Least amplitude that counts, as a share of the light: blind calibration calls 1.5 % of change flicker."""
_BLOCKS = (16, 16)
"""Bands of rows, and blocks in each."""
_DARKEST, _BRIGHTEST = 8.0, 200.0
"""Mean grey levels of blocks that count: darker is noise, and brighter may be clipped."""
_FEWEST_BLOCKS, _FEWEST_BANDS = 4, 4
_MAINS_TOLERANCE = 0.002
"""The frequency of a large grid stays within 0.1 % of its name nearly always (ENTSO-E's standard range for
50 Hz is 50 mHz); this is twice as much, as a share."""
_CHANCE = 1e-5
"""A fit counts if changes that come by chance fit so well less often than this."""
_FLAT = 0.01
"""A shape of changes that is smaller than this is flat."""
_ALIKE = 0.7
"""Mean of the pictures' moments in a flicker, as points on a circle, from which on they are much alike."""
_RIVALS = 0.3
"""Share of what the best rival leaves unexplained that flicker may leave: a step or a slow change of the
light, or a lamp of the other frequency."""


@dataclass(frozen=True, slots=True)
class Flicker:
    """How the light flickers."""

    hz: float
    """One of `LAMPS_HZ`."""
    depth: float
    """Amplitude as a share of the mean light, 0..1, as far as the exposure shows it."""


class FlickerWatch:
    """Looks at every picture of one camera, in their order, and keeps what it saw.

    What was seen counts until pictures that would show it do not, because exposures of whole flickers show
    nothing; or until the camera's driver is another. One thread calls `see`.
    """

    def __init__(self) -> None:
        """Nothing seen."""
        self.seen: Flicker | None = None
        """`None`: no flicker seen so far, which is no proof that there is none."""
        self._setting: object = None
        self._driver = ""
        self._pictures: deque[tuple[int, NDArray[np.float32]]] = deque(maxlen=MOST_PICTURES)

    def see(self, grey: NDArray[np.uint8], capture: CaptureInfo) -> None:
        """Look at a picture.

        Args:
            grey: H x W, 0..255.
            capture: What made it. Its stamp is compared with those of the other pictures; a clock that is set
                meanwhile only hides the flicker.
        """
        if capture.driver != self._driver:
            self._driver, self.seen = capture.driver, None
        setting = (capture.driver, capture.exposure_us, capture.gain_db, capture.lens, grey.shape)
        if setting != self._setting:
            self._setting = setting
            self._pictures.clear()
        is_new = not self._pictures or capture.stamp_ns != self._pictures[-1][0]
        if capture.lens == NOWHERE or not is_new:
            return
        self._pictures.append((capture.stamp_ns, _blocks(grey)))
        first_ns = capture.stamp_ns - round(OLDEST_S * 1e9)
        while self._pictures[0][0] < first_ns:
            self._pictures.popleft()
        if len(self._pictures) >= PICTURES:
            self._compare(capture.exposure_us)

    def _compare(self, exposure_us: float) -> None:
        times_s = np.array([(stamp - self._pictures[0][0]) * 1e-9 for stamp, _ in self._pictures])
        bands = band_changes(np.array([blocks for _, blocks in self._pictures]))
        if len(bands) < _FEWEST_BANDS:
            return
        amplitude = float(np.median(bands.std(axis=1))) * np.sqrt(2.0)
        if amplitude >= LEAST:
            hz = frequency_of(times_s, bands)
            if hz:
                self.seen = Flicker(hz, min(1.0, amplitude / max(flicker_shown(hz, exposure_us), amplitude)))
        elif self.seen is not None and self._would_show(self.seen, times_s, exposure_us):
            self.seen = None

    def _would_show(self, flicker: Flicker, times_s: NDArray[np.float64], exposure_us: float) -> bool:
        """Whether pictures of these times would differ clearly under a lamp."""
        alike = abs(np.exp(2j * np.pi * flicker.hz * times_s).mean())
        return bool(flicker.depth * flicker_shown(flicker.hz, exposure_us) >= 3.0 * LEAST and alike < _ALIKE)


def band_changes(blocks: NDArray[np.float32]) -> NDArray[np.float64]:
    """How bright each band of rows was in each picture, relative to its mean over all pictures.

    The median over a band's blocks does not see what moves in fewer than half of them.

    Args:
        blocks: Mean grey levels, shape (pictures, bands, blocks).

    Returns:
        Shape (bands, pictures), mean 0; bands that are too dark, clipped or black are left out.
    """
    usable = (blocks.min(axis=0) >= _DARKEST) & (blocks.max(axis=0) <= _BRIGHTEST)
    ratios = blocks / np.maximum(blocks.mean(axis=0), _DARKEST)
    kept = [
        np.median(ratios[:, band, usable[band]], axis=1)
        for band in range(blocks.shape[1])
        if usable[band].sum() >= _FEWEST_BLOCKS
    ]
    changes = np.array(kept, np.float64).reshape(len(kept), len(blocks))
    return np.asarray(changes - changes.mean(axis=1, keepdims=True))


def frequency_of(times_s: NDArray[np.float64], bands: NDArray[np.float64]) -> float:
    """The frequency of `LAMPS_HZ` with which the bands change [Hz]; 0: none, or it cannot be told.

    Args:
        times_s: When the pictures began [s], shape (n,).
        bands: See `band_changes`, shape (bands, n).
    """
    left = [_left_by_lamp(times_s, bands, hz) for hz in LAMPS_HZ]
    best = int(np.argmin(left))
    rivals = min(left[1 - best], _left_by_curve(times_s, bands), _left_by_step(bands))
    # Of n values that change by chance, a mean and a sine leave less than a share x with chance x^((n-3)/2).
    by_chance = left[best] ** ((len(times_s) - 3) / 2.0)
    return LAMPS_HZ[best] if by_chance <= _CHANCE and left[best] <= _RIVALS * rivals else 0.0


def _blocks(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    rows, columns = _BLOCKS
    return np.asarray(cv2.resize(grey.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA))


def _left_by_lamp(times_s: NDArray[np.float64], bands: NDArray[np.float64], hz: float) -> float:
    """The least that a sine leaves unexplained, over all frequencies that the mains may have."""
    span_s = float(times_s[-1] - times_s[0])
    reach = _MAINS_TOLERANCE * hz
    # Neighbours are an eighth of a turn apart at the ends of the pictures.
    steps = 2 * int(np.ceil(4.0 * reach * span_s)) + 1
    turns = 2.0 * np.pi * np.outer(np.linspace(hz - reach, hz + reach, steps), times_s)
    return _least_left(np.stack((np.sin(turns), np.cos(turns)), axis=1), bands)


def _left_by_curve(times_s: NDArray[np.float64], bands: NDArray[np.float64]) -> float:
    """What a slow change leaves unexplained: a cubic, because a slow beat of a lamp looks the same."""
    shares = times_s / max(float(times_s[-1] - times_s[0]), 1e-9)
    return _least_left(np.stack([shares**power for power in (1, 2, 3)])[None], bands)


def _left_by_step(bands: NDArray[np.float64]) -> float:
    """What a single step leaves unexplained, at its best place."""
    count = bands.shape[1]
    return _least_left(np.tri(count, count, -1)[1:, None, :], bands)


def _least_left(shapes: NDArray[np.float64], bands: NDArray[np.float64]) -> float:
    """Share of the bands' changes that the best family of shapes and a mean leave unexplained.

    The median over the bands counts, so half of them may show something else, such as what moves.

    Args:
        shapes: Families of shapes, shape (families, shapes, pictures).
        bands: Shape (bands, pictures), mean 0.
    """
    centred = shapes - shapes.mean(axis=2, keepdims=True)
    _, size, span = np.linalg.svd(centred, full_matrices=False)
    # A shape that is flat at these times explains nothing.
    parts = (bands @ span.transpose(0, 2, 1)) * (size > _FLAT)[:, None, :]
    total = np.maximum(np.square(bands).sum(axis=1), 1e-30)
    left = 1.0 - np.square(parts).sum(axis=2) / total
    return max(0.0, float(np.median(left, axis=1).min()))
