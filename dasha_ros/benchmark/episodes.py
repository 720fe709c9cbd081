"""Focus episodes in the twin, from a random start to the end of the goal.

One episode is one goal of the graph, in one process: A^H first, then, if it succeeded, A^L.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dasha_ros.control.loop import run_exposure, run_focus
from dasha_ros.control.step import Step
from dasha_ros.control.twin_rig import TwinRig
from dasha_ros.learning.evaluation.settings import FOCUSED_PX
from dasha_ros.optics.exposure_table import ExposureTable
from dasha_ros.optics.lens import LensModel
from dasha_ros.perception.own_class import told_in_a_line
from dasha_ros.perception.percept import Percept
from dasha_ros.perception.pipeline import Perception
from dasha_ros.policies.moves import reversals
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import ExposureTask, FocusTask
from dasha_ros.policies.registry import exposure_policy, focus_policy
from dasha_ros.policies.search import ScriptedFocus, Search
from dasha_ros.twin.scene import load_scene
from dasha_ros.twin.world import World

LIGHT_LX = (13.0, 300.0)
"""Range of the light (paper, V.A.2 and V.B)."""
DISTANCE_FACTOR = 1.25
"""Each layer's distance is multiplied or divided by up to this, so that no constant position is right
twice."""
ORACLE = "oracle"
"""Name of the policy that knows the truth; only here, for comparison."""
WIDTH, HEIGHT = 1024, 544
"""Size of the rendered frame [px]. It is binned from a sensor of twice that size. So perception, which
shrinks frames to 640 px, reads the same as from the camera's 2048x1088, noise included, in half the time."""


@dataclass(frozen=True, slots=True)
class Goal:
    """An object to look for, and its scene."""

    scene: str
    label: str

    def __str__(self) -> str:
        """For tables."""
        return f"{self.scene}: {self.label}"


@dataclass(frozen=True, slots=True)
class Episode:
    """How one goal went."""

    policy: str
    goal: Goal
    seed: int
    code: ErrorCode
    detected: bool
    """The object was detected in the last percept."""
    blur_px: float
    """True blur radius of the nearest-to-focus object of the label at the end [px at 640]."""
    moves_first: int | None
    """Lens commands until the object was within 2 px for the first time; ``None``: never."""
    moves_settled: int
    """Lens commands until the policy ended."""
    frames: int
    """Number of pictures of both agents."""
    reversals: int
    seconds: float
    """Time on the twin's clock [s]."""
    fault: str = ""
    """What is wrong with the policy, where it asked for what can't be or raised an error."""


class Oracle(ScriptedFocus):
    """Knows the true focus and moves there: the best that any policy could reach with this detector."""

    name = ORACLE

    def __init__(self, positions: Sequence[float]) -> None:
        """The lens positions that focus on an object of the label."""
        super().__init__()
        self._positions = tuple(positions)

    def search(self, task: FocusTask, first: Percept) -> Search:
        """Try the true places until the object is detected."""
        for position in self._positions:
            if (yield position).of(task.labels, task.min_score):
                return True
        return False


def goals_of(scenes: Sequence[str]) -> tuple[Goal, ...]:
    """Every label of every scene.

    Raises:
        SceneError: No such scene.
    """
    return tuple(Goal(scene, label) for scene in scenes for label in load_scene(scene).labels)


def episodes(
    policies: Sequence[str],
    goals: Sequence[Goal],
    seeds: Sequence[int],
    perception: Perception,
    *,
    exposure: str = "histogram",
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> Iterator[Episode]:
    """Play every goal with every policy and seed; a goal's seed is the same start for all policies.

    Args:
        policies: Names of A^L policies; `ORACLE` is one too.
        goals: What to look for; keep goals of one scene together, so that its photographs are read once.
        seeds: One episode each. A seed draws the lens's position (anywhere in its range), the exposure
            (any of the table), the light (13..300 lx, evenly in logarithm), the layers' distances and the
            sensor's noise.
        perception: Reads the frames.
        exposure: Name of the A^H policy.
        size: Width and height of the frames [px], binned from twice as many pixels.

    Raises:
        UnknownPolicyError: No policy has this name.
        DeviceError: A scene can't be used.
    """
    rig: TwinRig | None = None
    for i, goal in enumerate(goals):
        if rig is None or goal.scene != goals[i - 1].scene:
            rig = TwinRig(perception, World(goal.scene), width=size[0], height=size[1], binned=True)
        for seed in seeds:
            for policy in policies:
                yield _play(rig, goal, seed, policy, exposure)


def _play(rig: TwinRig, goal: Goal, seed: int, policy: str, exposure: str) -> Episode:
    start = draw_start(goal, seed, rig.lens, rig.table)
    world, position = start.world, start.position
    rig.begin(world, position, start.exposure_us, seed)
    targets = [1.0 / m for m in load_scene(goal.scene).object_distances(goal.label, world.distances_m)]

    def blur_px() -> float:
        return min(abs(rig.lens.blur_px(rig.focus_dioptres, target)) for target in targets)

    commanded, blurs = [position], [blur_px()]

    def on_step(step: Step) -> None:
        if step.command is not None:
            commanded.append(step.command.value)
            blurs.append(blur_px())

    mind = (
        Oracle([rig.lens.position(target) for target in targets])
        if policy == ORACLE
        else focus_policy(policy)
    )
    exposed = run_exposure(rig, exposure_policy(exposure), ExposureTask(rig.table))
    code, detected = exposed.code, False
    fault = f"A^H {exposure}: {exposed.message}" if code is ErrorCode.INTERNAL else ""
    if code is ErrorCode.NONE:
        task = FocusTask(rig.lens, frozenset({goal.label}))
        try:
            focused = run_focus(rig, mind, task, on_step)
        except (Exception, SystemExit) as error:
            if ":" not in policy:  # Only a class of somebody's own may have faults of its own.
                raise
            code, fault = ErrorCode.INTERNAL, f"{policy} ended with {told_in_a_line(error)}"
        else:
            code, detected = focused.code, focused.detection is not None
            fault = focused.message if code is ErrorCode.INTERNAL else ""
    return Episode(
        policy=policy,
        goal=goal,
        seed=seed,
        code=code,
        detected=detected,
        blur_px=blurs[-1],
        moves_first=next((i for i, blur in enumerate(blurs) if blur <= FOCUSED_PX), None),
        moves_settled=len(commanded) - 1,
        frames=rig.usage.frames,
        reversals=reversals(rig.lens, commanded),
        seconds=rig.usage.seconds,
        fault=fault,
    )


@dataclass(frozen=True, slots=True)
class Start:
    """Where an episode begins."""

    world: World
    position: float
    exposure_us: float


def draw_start(goal: Goal, seed: int, lens: LensModel, table: ExposureTable) -> Start:
    """The start of a goal's episode: the same for every policy, in one process and over the graph.

    Args:
        goal: What is looked for.
        seed: See `episodes`.
        lens: Its range of positions is drawn from.
        table: The start exposure is drawn from it.
    """
    random = np.random.default_rng([seed, zlib.crc32(str(goal).encode())])
    position = float(random.uniform(lens.position_min, lens.position_max))
    light = float(np.exp(random.uniform(*np.log(LIGHT_LX))))
    own = load_scene(goal.scene).distances_m
    factors = DISTANCE_FACTOR ** random.uniform(-1.0, 1.0, len(own))
    # Layers that stand close together may change places.
    distances = sorted(float(d * f) for d, f in zip(own, factors, strict=True))
    world = World(goal.scene, light, tuple(distances))
    return Start(world, position, table.exposure_us(int(random.integers(len(table)))))
