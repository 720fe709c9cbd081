"""Who keeps an object sharp: hold, and libcamera's continuous autofocus, on the same sequences."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Many
from dataclasses import asdict, dataclass

import numpy as np

from dasha_ros.benchmark.hold.rig import Blind, Chooses, HoldRig, object_region
from dasha_ros.benchmark.hold.sequence import Sequence
from dasha_ros.perception.percept import Percept
from dasha_ros.perception.pipeline import Perception
from dasha_ros.policies.hold.exposure_holder import ExposureHolder
from dasha_ros.policies.hold.focus_holder import FocusHolder
from dasha_ros.policies.policy import ExposureTask, FocusTask
from dasha_ros.policies.rivals.libcamera import LibcameraContinuous
from dasha_ros.policies.selection import Choice, Region, Selection

SHARP_PX = 2.0
"""Up to this blur a picture counts as sharp [px at 640]."""
DETECTED = "hold_detected"
PLAYERS = ("hold", DETECTED, "libcamera", "libcamera_window", "nobody")
"""``hold_detected``: hold, with a detector that finds the object in each picture, or does not; all others are
told its place. ``libcamera``: contrast of the whole picture; ``libcamera_window``: of the object's box;
``nobody``: a lens that stays."""
OBJECTS = (
    ("cup_street", "cup"),
    ("cat_pagoda", "cat"),
    ("motorcycle_street", "motorcycle"),
    ("astronaut", "person"),
)
SPEEDS_M_S = (0.05, 0.1, 0.2, 0.5)
_DETECTED_US = 16_000.0


@dataclass(frozen=True)
class HoldRow:
    """How one player did in one sequence."""

    player: str
    scene: str
    speed_m_s: float
    light: str
    seconds: float
    seed: int
    frames: int
    sharp_share: float
    """Share of the frames in which the object's true blur is at most `SHARP_PX`."""
    blur_px_mean: float
    blur_px_95: float
    """Not exceeded in 95 % of the frames."""
    moves: int
    """Commands that moved the lens."""
    exposures: int


def sequences(seconds: float, still_s: float, objects: Many[tuple[str, str]] = OBJECTS) -> Iterator[Sequence]:
    """The sequences of the benchmark: moving objects, stepping and flickering light, and nothing at all."""
    for scene, label in objects:
        for speed in SPEEDS_M_S:
            yield Sequence(scene, label, speed, "steady", seconds)
        for light in ("steps", "50 Hz", "60 Hz"):
            for speed in (0.0, 0.1):
                yield Sequence(scene, label, speed, light, seconds)
        if still_s:
            yield Sequence(scene, label, 0.0, "steady", still_s)


def benchmark_hold(
    seconds: float, still_s: float, players: Many[str] = PLAYERS, *, seed: int = 0, scenes: int = len(OBJECTS)
) -> Iterator[HoldRow]:
    """Play all sequences.

    Args:
        seconds: Length of each [s].
        still_s: Length of the one in which nothing happens [s]; 0: leave it out.
        players: Of `PLAYERS`.
        seed: Of the sensor's noise.
        scenes: Number of scenes, of `OBJECTS`.

    Raises:
        ModelError: The detector that finds the objects at the start is missing.
    """
    detecting = Perception(Blind())
    perception = Perception(Blind(), Blind())
    regions: dict[str, Region] = {}
    for sequence in sequences(seconds, still_s, OBJECTS[:scenes]):
        if sequence.scene not in regions:
            regions[sequence.scene] = object_region(sequence, detecting, _DETECTED_US)
        for player in players:
            sees = detecting if player == DETECTED else perception
            yield play(player, sequence, regions[sequence.scene], sees, seed)


def play(player: str, sequence: Sequence, region: Region, perception: Perception, seed: int = 0) -> HoldRow:
    """Play one sequence.

    Raises:
        ValueError: No such player.
    """
    rig = HoldRig(sequence, perception, seed)
    aims, exposes = _player(player, rig, region, sequence.label), ExposureHolder(ExposureTask(rig.table))
    percept = rig.first
    position, exposure_us = percept.lens.commanded_position, percept.capture.exposure_us
    blurs: list[float] = []
    moves = exposures = 0
    while rig.seconds < sequence.seconds:
        percept, blur = rig.look(position, exposure_us)
        blurs.append(blur)
        there, bright = aims(percept), exposes.act(percept)
        moves, exposures = moves + (there != position), exposures + (bright != exposure_us)
        position, exposure_us = there, bright
    seen = np.array(blurs)
    return HoldRow(
        player, sequence.scene, sequence.speed_m_s, sequence.light, sequence.seconds, seed, len(seen),
        round(float((seen <= SHARP_PX).mean()), 4), round(float(seen.mean()), 2),
        round(float(np.percentile(seen, 95)), 2), moves, exposures,
    )  # fmt: skip


def _player(name: str, rig: HoldRig, region: Region, label: str) -> Chooses:
    by_label = name == DETECTED
    labels, selection = Selection.of_goal((label,) if by_label else (), None if by_label else region)
    task = FocusTask(rig.lens, labels, selection=selection)
    if name in ("hold", DETECTED):
        holder, choice = FocusHolder(task), Choice(selection, labels, task.min_score)
        return lambda percept: holder.act(choice(percept))
    if name == "nobody":
        return lambda percept: percept.lens.commanded_position
    continuous = LibcameraContinuous(task)
    if name == "libcamera":
        return lambda percept: continuous.act(percept, percept.sharpness)

    def of_window(percept: Percept) -> float:
        return continuous.act(percept, selection.counted(percept)[0].sharpness)

    if name == "libcamera_window":
        return of_window
    raise ValueError(f"no player {name!r}; there are {', '.join(PLAYERS)}")


def summary(rows: Many[HoldRow]) -> list[dict[str, object]]:
    """One line for each player, speed and light: means over the scenes, and the worst scene."""
    lines = []
    for key in sorted({(r.speed_m_s, r.light, r.seconds, r.player) for r in rows}):
        some = [r for r in rows if (r.speed_m_s, r.light, r.seconds, r.player) == key]
        lines.append(
            {
                "speed [m/s]": key[0],
                "light": key[1],
                "seconds": key[2],
                "player": key[3],
                "sharp": f"{np.mean([r.sharp_share for r in some]):.1%}",
                "worst scene": f"{min(r.sharp_share for r in some):.1%}",
                "mean blur [px]": f"{np.mean([r.blur_px_mean for r in some]):.2f}",
                "moves": sum(r.moves for r in some),
            }
        )
    return lines


def as_json(rows: Many[HoldRow]) -> list[dict[str, object]]:
    """The rows, for a file."""
    return [asdict(row) for row in rows]
