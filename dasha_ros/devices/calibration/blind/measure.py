"""The whole blind calibration: where is it sharp, a fine scan up and down, the V, and how long moves take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dasha_ros.devices.calibration.blind import quality
from dasha_ros.devices.calibration.blind.pictures import Image, Shot, light
from dasha_ros.devices.calibration.blind.readings import Optic, Readings, parts, read
from dasha_ros.devices.calibration.blind.scan import BlindScan, Move
from dasha_ros.devices.calibration.blind.stairs import FROM_PX, STAIRS, Steps, stair_step, steps_of
from dasha_ros.devices.calibration.blind.vee import Side, Vee, fit_vee, rough_slope
from dasha_ros.devices.calibration.profile import CalibrationError
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.optics.tone import Tone

HALF_WIDTH_PX = 9.0
"""How far the fine scan goes to each side of the sharpest position, as blur [px at 640]."""
SETTLED_PX = 0.2
"""A move has ended when the blur stays this near to its last value [px]."""
SHORT_PX = 2.0
"""Length of the short move that is timed, as blur [px]."""
AGREE = 0.25
"""Parts whose own slope differs by more than this share from the median do not count."""
_NEAR_PX = 7.0
_TONES: tuple[Tone, ...] = ("linear", "srgb")


@dataclass(frozen=True, slots=True)
class BlindCalibration:
    """What was measured."""

    lens: LensInfo
    """The lens, with its own limits and step."""
    vee: Vee
    tone: Tone
    """The response of the camera that explains the pictures best."""
    sides: tuple[Side, Side]
    """The scans up and down, of the parts that count; for the plot."""
    scanned: tuple[float, float]
    """Least and greatest position of the fine scan."""
    settle_s: float | None
    """How long a long move takes [s]; ``None``: not measured."""
    short_settle_s: float | None
    """How long a short one takes [s]."""
    steps: Steps | None = None
    """Its steps as pictures tell them; ``None``: not measured, or its own step is plain to see."""

    @property
    def resolution(self) -> float:
        """The smallest useful step, in the lens's unit: its own, or a coarser one that was seen."""
        return max(self.lens.resolution, self.steps.real if self.steps is not None else 0.0)

    @property
    def play(self) -> float:
        """Play, in the lens's unit; 0: none that can be told from the readings' noise."""
        return self.vee.play if self.vee.play > 2.0 * self.scatter else 0.0

    @property
    def scatter(self) -> float:
        """By how much the position of the V is uncertain, in the lens's unit (one sigma)."""
        return self.vee.residual_px / self.vee.slope / math.sqrt(max(1, self.vee.readings / 4))


def measure(
    scan: BlindScan, lens: LensInfo, tried: tuple[float, float], *, settling: bool = True
) -> BlindCalibration:
    """Scan and fit.

    Args:
        scan: Takes the pictures, with an exposure that suits the scene.
        lens: Its unit, limits and step.
        tried: Least and greatest position to try.
        settling: Whether moves are timed, and steps looked for.

    Raises:
        CalibrationError: The scene is blank, moves, flickers, or is out of reach; or the readings contradict
            each other.
        DeviceError: A device failed.
    """
    coarse = scan.coarse()
    if len(coarse) < 4:
        raise CalibrationError(
            f"the lens stood at {len(coarse)} different positions of the whole range: it does not move"
        )
    quality.check_movement(coarse)
    quality.check_flicker(coarse)
    optic = Optic(*coarse[0].pictures[0].shape)
    low, high, slope = _window(optic, coarse, tried, lens.unit)
    up, down = scan.fine(low, high)
    for shots in (up, down):
        quality.check_movement(shots)
        quality.check_flicker(shots)
    best = _fit(optic, (up, down), slope, _tone(optic, up))
    quality.check_reach(best.vee.sharpest, (low, high), tried, len(up), lens.unit)
    result = BlindCalibration(lens, best.vee, best.tone, best.sides, (low, high), None, None)
    if not settling:
        return result
    result = replace(result, steps=_steps(scan, optic, result, up, tried, counts=best.counts))
    long_s, short_s = _settling(scan, optic, result, [*up], tried)
    return replace(result, settle_s=long_s, short_settle_s=short_s)


@dataclass(frozen=True, slots=True)
class _Fitted:
    """A V, and what it was fitted to."""

    tone: Tone
    vee: Vee
    sides: tuple[Side, Side]
    counts: NDArray[np.bool_]
    """Which parts of the picture it was fitted to, shape (parts,)."""


def _window(
    optic: Optic, coarse: Sequence[Shot], tried: tuple[float, float], unit: str
) -> tuple[float, float, float]:
    """Ends of the fine scan, and a first slope."""
    positions = np.array([shot.position for shot in coarse])
    pictures = [light(shot.pictures[0], "linear") for shot in coarse]
    energy = _energy(optic, pictures)
    at = np.asarray(energy.argmax(axis=1), np.int64)
    noise = _energy(optic, [_half_difference(shot, "linear") for shot in coarse])
    good = np.flatnonzero(quality.check_texture(energy, _repeat(energy, 2.0 * noise, at)))
    centre = float(np.median(positions[at[good]]))
    slope = rough_slope(positions, read(optic, pictures, at).radius_px[good], at[good])
    if not slope > 0:
        raise CalibrationError(
            f"the blur between two of {len(coarse)} positions is beyond what can be read: give a narrower"
            f" range around {centre:g} {unit} with --low and --high"
        )
    half = HALF_WIDTH_PX / slope
    low, high = max(tried[0], centre - half), min(tried[1], centre + half)
    return low, high, slope


def _tone(optic: Optic, shots: Sequence[Shot]) -> Tone:
    """The camera's response: discs add up in light, so the right one leaves least unexplained."""

    def unexplained(tone: Tone) -> float:
        pictures = [light(shot.pictures[0], tone) for shot in shots]
        energy = _energy(optic, pictures)
        readings = read(optic, pictures, np.asarray(energy.argmax(axis=1), np.int64))
        contrast = energy.max(axis=1)
        return float(np.average(_near(readings, readings.unexplained), weights=contrast / contrast.mean()))

    return min(_TONES, key=unexplained)


def _fit(optic: Optic, scans: tuple[Sequence[Shot], Sequence[Shot]], slope: float, tone: Tone) -> _Fitted:
    """Read both scans and fit the V to the parts that are good."""
    sides, left, noise, repeat = [], [], [], []
    for shots in scans:
        pictures = [np.mean([light(p, tone) for p in shot.pictures], axis=0) for shot in shots]
        energy = _energy(optic, pictures)
        at = np.asarray(energy.argmax(axis=1), np.int64)
        readings = read(optic, pictures, at)
        positions = np.array([shot.position for shot in shots])
        sides.append(Side(positions, readings.radius_px, at))
        left.append(_near(readings, readings.unexplained))
        difference = _energy(optic, [_half_difference(shot, tone) for shot in shots])
        noise.append(_near(readings, difference / np.maximum(energy, 1e-30)))
        repeat.append(_repeat(energy, difference, at))
    textured = np.minimum(*repeat) > quality.TEXTURE_MIN
    good = quality.still(textured, np.maximum(*left), np.maximum(*noise))
    good = _agreeing(sides[0], sides[1], good, slope)
    kept = _rows(sides[0], good), _rows(sides[1], good)
    vee = fit_vee(*kept, slope)
    if vee is None or not vee.slope > 0:
        raise CalibrationError("the readings of blur make no V: calibrate again, with more texture")
    return _Fitted(tone, vee, kept, good)


def _rows(side: Side, which: NDArray[np.bool_] | slice) -> Side:
    return Side(side.positions, side.radius_px[which], side.sharpest[which])


def _agreeing(up: Side, down: Side, good: NDArray[np.bool_], slope: float) -> NDArray[np.bool_]:
    """The parts whose own slope is that of most: the others show two planes, or an edge between them."""
    slopes = np.full(len(good), np.nan)
    for part in np.flatnonzero(good):
        row = slice(part, part + 1)
        own = fit_vee(_rows(up, row), _rows(down, row), slope)
        if own is not None:
            slopes[part] = own.slope
    with np.errstate(invalid="ignore"):
        agreeing = np.abs(slopes / np.nanmedian(slopes) - 1.0) < AGREE
    if int(agreeing.sum()) < quality.FEWEST_PARTS:
        raise CalibrationError(
            f"the parts of the picture contradict each other: only {int(agreeing.sum())} of {int(good.sum())}"
            " agree on the blur a step; calibrate with a scene that is still and mostly flat"
        )
    return np.asarray(agreeing)


def _settling(
    scan: BlindScan, optic: Optic, found: BlindCalibration, shots: Sequence[Shot], tried: tuple[float, float]
) -> tuple[float, float]:
    """How long a move from the far end takes, and a short one, both to a slightly blurred position [s]."""
    vee, centre = found.vee, found.vee.sharpest
    sharpest = _sharpest(found, shots)
    step = SHORT_PX / vee.slope
    far = tried[0] if centre - tried[0] > tried[1] - centre else tried[1]
    towards = 1.0 if far < centre else -1.0
    end = centre - towards * step
    if not tried[0] <= end <= tried[1]:
        end = centre
    moves = (scan.watch(far, end, "long moves"), scan.watch(end - towards * step, end, "short moves"))
    long_s, short_s = (_settled_s(optic, move, sharpest, found.tone) for move in moves)
    return long_s, short_s


def _steps(
    scan: BlindScan,
    optic: Optic,
    found: BlindCalibration,
    shots: Sequence[Shot],
    tried: tuple[float, float],
    *,
    counts: NDArray[np.bool_],
) -> Steps | None:
    """Climb stairs on the flank that has more room; ``None``: there is no need, or no room."""
    vee = found.vee
    step = stair_step(found.lens.resolution, vee.slope)
    if step is None:
        return None
    centre, away, length = vee.sharpest + found.play / 2.0, FROM_PX / vee.slope, (STAIRS - 1) * step
    margin = 2.0 * found.play + 2.0 * step
    is_above = tried[1] - centre > centre - tried[0]
    first = centre + away if is_above else centre - away - length
    if found.lens.resolution > 0.0:
        first = tried[0] + round((first - tried[0]) / step) * step
    if first - margin < tried[0] or first + length > tried[1]:
        return None
    climbed = scan.climb(np.asarray(first + step * np.arange(STAIRS), np.float64), margin)
    pictures = [np.mean([light(p, found.tone) for p in shown], axis=0) for shown in climbed]
    readings = read(
        optic,
        [*pictures, _sharpest(found, shots)],
        np.full(len(counts), STAIRS, np.int64),
    )
    # The V has centres for the parts that count only, and none for some of them.
    read_at = np.flatnonzero(counts)[np.isfinite(vee.centres)]
    blur = np.nanmedian(readings.radius_px[read_at, :-1], axis=0)
    return steps_of(blur, step, vee.slope) if np.isfinite(blur).all() else None


def _sharpest(found: BlindCalibration, shots: Sequence[Shot]) -> Image:
    """The light of the sharpest picture of the scan upwards."""
    where = found.vee.sharpest + found.play / 2.0
    reference = min(shots, key=lambda shot: abs(shot.position - where))
    return np.asarray(np.mean([light(p, found.tone) for p in reference.pictures], axis=0), np.float32)


def _settled_s(optic: Optic, move: Move, sharpest: Image, tone: Tone) -> float:
    """When the blur of a move's pictures stays at its last value [s]."""
    pictures = [*(light(picture, tone) for picture in move.pictures), sharpest]
    radius = read(optic, pictures, np.full(len(_energy(optic, [sharpest])), len(pictures) - 1, np.int64))
    blur = np.nan_to_num(radius.radius_px[:, :-1], nan=99.0)
    blur = np.median(blur, axis=0)
    last = move.moments_s > 0.7 * move.moments_s[-1]
    final = float(np.median(blur[last]))
    tolerance = max(SETTLED_PX, 3.0 * 1.4826 * float(np.median(np.abs(blur[last] - final))))
    unsettled = np.flatnonzero(np.abs(blur - final) > tolerance)
    if not unsettled.size:
        return 0.0
    return float(move.moments_s[min(unsettled[-1] + 1, len(blur) - 1)])


def _energy(optic: Optic, pictures: Sequence[Image]) -> NDArray[np.float64]:
    """Energy of the texture, shape (parts, pictures)."""
    textures = parts(np.stack([optic.filtered(picture) for picture in pictures]))
    return np.asarray(np.einsum("tip,tip->ti", textures, textures, dtype=np.float64))


def _repeat(
    energy: NDArray[np.float64], noise: NDArray[np.float64], at: NDArray[np.int64]
) -> NDArray[np.float64]:
    """How much of each part's sharpest picture is no noise, shape (parts,)."""
    best = np.arange(len(at)), at
    return np.asarray(1.0 - 2.0 * noise[best] / np.maximum(energy[best], 1e-30))


def _half_difference(shot: Shot, tone: Tone) -> Image:
    """Noise of the mean of two pictures."""
    first, last = light(shot.pictures[0], tone), light(shot.pictures[-1], tone)
    return np.asarray((first - last) / 2.0, np.float32)


def _near(readings: Readings, value: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median over pictures with little blur, for each part; 1 where there are none."""
    near = readings.radius_px < _NEAR_PX
    with np.errstate(all="ignore"):
        kept = np.where(near, value, np.nan)
        return np.array([np.nanmedian(row) if np.isfinite(row).any() else 1.0 for row in kept])
