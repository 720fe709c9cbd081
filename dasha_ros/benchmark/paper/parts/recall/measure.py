"""Recall gained: what a detector finds with DASHA off and on, over light and defocus.

Off, the picture is taken as an episode of the paper starts (IV.D): with the camera's factory exposure, and
the lens where it stands. On, both agents act first, with the same detector in their loop. The objects are
those of the shipped scenes; one counts as found if the detector gives its label a score of at least
`MIN_SCORE`.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

from dasha_ros.benchmark.episodes import HEIGHT, WIDTH, Goal
from dasha_ros.benchmark.methods import exposure_methods, focus_methods, perception_for
from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.trials.intervals import Estimate, share_of
from dasha_ros.benchmark.trials.journal import Journal, key_of
from dasha_ros.control.loop import run_exposure, run_focus
from dasha_ros.control.twin_rig import TwinRig
from dasha_ros.optics.lens import LensModel
from dasha_ros.perception.detectors import Detector
from dasha_ros.perception.percept import Percept
from dasha_ros.perception.pipeline import Perception
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import ExposureTask, FocusTask
from dasha_ros.policies.registry import exposure_policy, focus_policy
from dasha_ros.twin.scene import load_scene
from dasha_ros.twin.world import FACTORY_EXPOSURE_US, World

MIN_SCORE = 0.3
"""Score from which an object counts as found; also A^L's."""
_FORMAT = 2
"""Raise it when an episode of the same id would go another way: old rows are then played anew."""
_KEYS = frozenset(
    {
        "detector", "object", "photograph", "illuminance_lx", "defocus_d", "defocus_px", "off", "on",
        "off_score", "on_score", "code", "end_px", "frames", "seconds",
    }
)  # fmt: skip
"""What a row holds; see `recall_rows`."""


@dataclass(frozen=True, slots=True)
class Grid:
    """What is varied."""

    lights_lx: tuple[float, ...]
    defocus_d: tuple[float, ...]
    """How far from the object the lens is focused at the start [1/m]; to the other side where the lens
    can't reach that."""
    goals: tuple[Goal, ...]
    seed: int = 0
    """Seed of the sensor's noise."""

    @property
    def cells(self) -> list[tuple[Goal, float, float]]:
        """Every episode of one detector: goal, light, defocus. Goals of one scene stay together."""
        return [(goal, lx, d) for goal in self.goals for lx in self.lights_lx for d in self.defocus_d]


@dataclass(frozen=True, slots=True)
class Agents:
    """The policies of "on", by name."""

    exposure: str = "plus"
    focus: str = "plus"

    def perception(self, detector: str | Detector) -> Perception:
        """Perception with a detector, or one by name, and the encoders that the policies read.

        Raises:
            ModelError: A model is missing; the message says what to do.
            UnknownModelError: No detector has this name.
            PolicyFileError: A policy can't be read.
        """
        return perception_for([self.focus], "focus", exposure=self.exposure, detector=detector)

    @property
    def digest(self) -> str:
        """Names and contents of the policies, in a few letters.

        Raises:
            UnknownPolicyError: No exposure policy has this name.
            MethodError: No focus policy has this name.
        """
        made = exposure_methods(self.exposure)[0].digest, focus_methods(self.focus)[0].digest
        return key_of(asdict(self), made)


def recall_rows(
    detector: str,
    perception: Perception,
    agents: Agents,
    grid: Grid,
    journal: Journal,
    *,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    progress: Callable[[int, int, str], None] | None = None,
) -> Iterator[Row]:
    """Play every cell of the grid with one detector, off and on.

    Args:
        detector: Its name.
        perception: With the detector.
        agents: The policies.
        grid: What is varied; goals that the detector has no label for are left out.
        journal: Keeps a row for each cell; what it holds is not played again.
        size: Width and height of the rendered frames [px].
        progress: Told how far it is.

    Yields:
        A row for each cell: ``detector``, ``object``, ``photograph``, ``illuminance_lx``, ``defocus_d``,
        ``defocus_px`` (true blur radius at the start [px at 640]), ``off`` and ``on`` (found or not),
        ``off_score``, ``on_score`` (the best of the label), ``code`` (how the goal ended), ``end_px`` (true
        blur radius at its end), ``frames`` and ``seconds`` (of the goal, on the twin's clock).

    Raises:
        DeviceError: A scene can't be shown.
        JournalError: The disk is full.
    """
    cells = [cell for cell in grid.cells if cell[0].label in perception.detector.labels]
    rig: TwinRig | None = None
    shown = ""
    for number, (goal, lux, defocus) in enumerate(cells, start=1):
        what = detector, perception.detector.id, agents.digest, str(goal), lux, defocus, grid.seed, size
        name = key_of(_FORMAT, *what)
        row = journal.take(name, _KEYS)
        if row is None:
            if rig is None or shown != goal.scene:
                rig = TwinRig(perception, World(goal.scene), width=size[0], height=size[1])
                shown = goal.scene
            row = journal.add(
                name, {"detector": detector, **_cell(rig, agents, (goal, lux, defocus), grid.seed)}
            )
        yield row
        if progress is not None:
            progress(number, len(cells), f"{detector}: {goal}")


def _cell(rig: TwinRig, agents: Agents, cell: tuple[Goal, float, float], seed: int) -> Row:
    goal, lux, defocus = cell
    scene = load_scene(goal.scene)
    world = World(goal.scene, lux, scene.distances_m)
    targets = [1.0 / m for m in scene.object_distances(goal.label, world.distances_m)]
    position = start_position(rig.lens, targets[0], defocus)
    noise = zlib.crc32(json.dumps([str(goal), lux, defocus, seed]).encode())

    def blur_px() -> float:
        return min(abs(rig.lens.blur_px(rig.focus_dioptres, target)) for target in targets)

    rig.begin(world, position, FACTORY_EXPOSURE_US, noise)
    begun = blur_px()
    off = _score(rig.observe(), goal.label)
    rig.begin(world, position, FACTORY_EXPOSURE_US, noise)
    exposed = run_exposure(rig, exposure_policy(agents.exposure), ExposureTask(rig.table))
    code, last = exposed.code, exposed.percept
    if code is ErrorCode.NONE:
        task = FocusTask(rig.lens, frozenset({goal.label}), min_score=MIN_SCORE)
        focused = run_focus(rig, focus_policy(agents.focus), task)
        code, last = focused.code, focused.percept
    on = _score(last, goal.label) if last is not None else 0.0
    (layer, *_) = [scene.layers[thing.layer] for thing in scene.objects if thing.label == goal.label]
    return {
        "object": str(goal),
        "photograph": layer.photo,
        "illuminance_lx": lux,
        "defocus_d": defocus,
        "defocus_px": round(begun, 3),
        "off": off >= MIN_SCORE,
        "on": on >= MIN_SCORE,
        "off_score": round(off, 4),
        "on_score": round(on, 4),
        "code": code.name,
        "end_px": round(blur_px(), 3),
        "frames": rig.usage.frames,
        "seconds": round(rig.usage.seconds, 4),
    }


def start_position(lens: LensModel, target: float, defocus: float) -> float:
    """The position that is focused ``defocus`` nearer than the object, or farther if it can't be nearer."""
    near, far = lens.position(target + defocus), lens.position(target - defocus)
    return near if abs(lens.dioptres(near) - target - defocus) < 0.01 else far


def _score(percept: Percept, label: str) -> float:
    return max((found.score for found in percept.of({label})), default=0.0)


@dataclass(frozen=True, slots=True)
class Recall:
    """Recall of one detector in one cell of the grid, or over all of it."""

    detector: str
    illuminance_lx: float | None
    """``None``: over all."""
    defocus_d: float | None
    """``None``: over all."""
    episodes: int
    off: Estimate
    """95 % intervals by photograph."""
    on: Estimate


def summed_up(rows: Sequence[Row]) -> list[Recall]:
    """Recall over the whole grid, over each light, and in each cell, detector by detector."""
    found: list[Recall] = []
    for detector in dict.fromkeys(row["detector"] for row in rows):
        mine = [row for row in rows if row["detector"] == detector]
        lights = sorted({row["illuminance_lx"] for row in mine})
        steps = sorted({row["defocus_d"] for row in mine})
        groups: list[tuple[float | None, float | None]] = [(None, None), *((lx, None) for lx in lights)]
        groups += [(lx, d) for lx in lights for d in steps]
        for lux, defocus in groups:
            cell = [
                row
                for row in mine
                if lux in (None, row["illuminance_lx"]) and defocus in (None, row["defocus_d"])
            ]
            if cell:
                off, on = _recall(cell, "off"), _recall(cell, "on")
                found.append(Recall(detector, lux, defocus, len(cell), off, on))
    return found


def rescued(rows: Sequence[Row]) -> dict[str, Estimate]:
    """By detector, of the pictures in which it missed the object off, the share in which it finds it on.

    A detector that missed nothing is left out.
    """
    missed = [row for row in rows if not row["off"]]
    return {
        detector: _recall([row for row in missed if row["detector"] == detector], "on")
        for detector in dict.fromkeys(row["detector"] for row in missed)
    }


def _recall(rows: Sequence[Row], key: str) -> Estimate:
    clusters: dict[str, list[float]] = {}
    for row in rows:
        clusters.setdefault(row["photograph"], []).append(float(row[key]))
    return share_of(clusters)
