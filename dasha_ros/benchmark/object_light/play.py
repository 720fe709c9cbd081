"""Goals with and without the second look, and how well the detector sees the object at their end."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from dasha_ros.benchmark.episodes import HEIGHT, ORACLE, WIDTH, Oracle
from dasha_ros.benchmark.methods import perception_for
from dasha_ros.benchmark.object_light.lit_scenes import OBJECTS, Lighting, lightings, lit_scene
from dasha_ros.control.goal import run_goal
from dasha_ros.control.twin_rig import TwinRig
from dasha_ros.estimation.readout import GRID_ENCODER
from dasha_ros.perception.own_class import told_in_a_line
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import ExposureTask, FocusTask
from dasha_ros.policies.registry import exposure_policy, focus_policy
from dasha_ros.twin.scene import load_scene
from dasha_ros.twin.world import World

RATIOS = (8.0, 30.0)
"""How many times brighter one of object and background is lit than the other."""
ILLUMINANCE_LX = 100.0
_SWEEP_STRIDE = 3
"""Every so many exposures of the table are tried for the best one: a third of an EV."""
_SWEEP_EV = 8.0
"""The best exposure is at most so far from the one that a goal of A^H ends with [EV]."""


class OwnPolicyError(ValueError):
    """A class of somebody's own raised an error; the message names both."""


@dataclass(frozen=True)
class ObjectLightRow:
    """How one goal ended."""

    scene: str
    label: str
    lighting: str
    focus: str
    """Policy of A^L; ``oracle`` knows the focus, so that only the exposure counts."""
    meters: bool
    """Whether the object's own light counted."""
    seed: int
    code: int
    score: float
    """Of the object at the end; 0: not detected."""
    best_score: float
    """In focus, at the best exposure."""
    exposures: int
    """Commands of A^H."""
    moves: int
    """Commands of A^L."""
    blur_px: float
    """True blur radius of the object at the end [px at 640]."""

    @property
    def share(self) -> float:
        """The score as a share of the best one, at most 1."""
        return min(1.0, self.score / self.best_score)


def benchmark_object_light(
    seeds: Sequence[int],
    ratios: tuple[float, ...] = RATIOS,
    policies: tuple[str, Sequence[str]] = ("plus", (ORACLE, "plus")),
    *,
    scenes: int = len(OBJECTS),
) -> Iterator[ObjectLightRow]:
    """Play goals for each object in each light, with and without the second look, from the same starts.

    Args:
        seeds: Each draws the place of the lens, the exposure at the start, and the noise.
        ratios: See `lightings`.
        policies: Name of A^H's policy, and names of A^L's; `ORACLE` is one, too.
        scenes: Number of scenes, of `OBJECTS`.

    Raises:
        ModelError: A model is missing.
        UnknownPolicyError: No policy has a name.
        PolicyFileError: A learned policy can't be read.
        DeviceError: A scene can't be shown.
        OwnPolicyError: A policy of one's own raised an error.
    """
    perception = perception_for(policies[1], "focus", exposure=policies[0], encoder=GRID_ENCODER)
    with tempfile.TemporaryDirectory(prefix="dasha_light_") as folder:
        for name, label in OBJECTS[:scenes]:
            for lighting in lightings(ratios):
                world = World(str(lit_scene(name, lighting, Path(folder))), ILLUMINANCE_LX)
                rig = TwinRig(perception, world, width=WIDTH, height=HEIGHT, binned=True)
                yield from _goals(rig, world, (name, label, lighting), seeds, policies)


def _goals(
    rig: TwinRig,
    world: World,
    what: tuple[str, str, Lighting],
    seeds: Sequence[int],
    policies: tuple[str, Sequence[str]],
) -> Iterator[ObjectLightRow]:
    name, label, lighting = what
    target = 1.0 / load_scene(name).object_distances(label)[0]
    best = best_score(rig, world, label, rig.lens.position(target))
    for seed in seeds:
        random = np.random.default_rng([seed, 14])
        position = float(random.uniform(rig.lens.position_min, rig.lens.position_max))
        exposure_us = rig.table.exposure_us(int(random.integers(len(rig.table))))
        for focus in policies[1]:
            for meters in (False, True):
                rig.begin(world, position, exposure_us, seed)
                low = Oracle([rig.lens.position(target)]) if focus == ORACLE else focus_policy(focus)
                tasks = ExposureTask(rig.table), FocusTask(rig.lens, frozenset({label}))
                high = exposure_policy(policies[0])
                try:
                    outcome = run_goal(rig, (high, low), tasks, meters=meters)
                except (Exception, SystemExit) as error:
                    # Only classes of somebody's own may have faults of their own.
                    own = [each for each in (policies[0], focus) if ":" in each]
                    if not own:
                        raise
                    raise OwnPolicyError(
                        f"{' or '.join(own)} ended with {told_in_a_line(error)}: mend it, and run this again"
                    ) from error
                ended = outcome.exposure if outcome.focus is None else outcome.focus
                seen = ended.percept.of({label}) if ended.percept is not None else ()
                blur = abs(rig.lens.blur_px(rig.focus_dioptres, target))
                yield ObjectLightRow(
                    name, label, lighting.name, focus, meters, seed, int(outcome.code),
                    round(seen[0].score, 4) if seen else 0.0, round(best, 4),
                    outcome.exposure.steps, outcome.focus_steps, round(blur, 2),
                )  # fmt: skip


def best_score(rig: TwinRig, world: World, label: str, position: float) -> float:
    """The best score of an object in focus, over all exposures that may show it.

    Raises:
        ValueError: No exposure shows it.
    """
    rig.begin(world, position, rig.table.exposure_us(0), 0)
    around = rig.table.nearest(exposure_of(rig))
    reach = round(_SWEEP_EV / np.log2(rig.table.exposure_us(around) / rig.table.exposure_us(around - 1)))
    best = 0.0
    for index in range(max(0, around - reach), min(len(rig.table), around + reach + 1), _SWEEP_STRIDE):
        seen = rig.expose(rig.table.exposure_us(index)).of({label})
        best = max(best, seen[0].score if seen else 0.0)
    if best == 0.0:
        raise ValueError(f"no exposure shows the {label} of {world.scene}")
    return best


def exposure_of(rig: TwinRig) -> float:
    """The exposure that A^H finds for the whole picture [us]."""
    outcome = run_goal(
        rig,
        (exposure_policy("histogram"), Oracle([])),
        (ExposureTask(rig.table), FocusTask(rig.lens)),
        meters=False,
    )
    assert outcome.exposure.percept is not None
    return outcome.exposure.percept.capture.exposure_us


def summary(rows: Sequence[ObjectLightRow]) -> list[dict[str, object]]:
    """One line for each light, policy of A^L, and way to expose: means over scenes and seeds."""
    lines: list[dict[str, object]] = []
    for key in dict.fromkeys((r.lighting, r.focus, r.meters) for r in rows):
        some = [r for r in rows if (r.lighting, r.focus, r.meters) == key]
        shares = [r.share for r in some]
        lines.append(
            {
                "light": key[0],
                "A^L": key[1],
                "exposed for": "the object" if key[2] else "the picture",
                "goals": len(some),
                "found": f"{np.mean([r.code == ErrorCode.NONE for r in some]):.1%}",
                "score, of the best": f"{np.mean(shares):.1%}",
                "worst scene": f"{_worst(some):.1%}",
                "exposures": f"{np.mean([r.exposures for r in some]):.2f}",
                "moves": f"{np.mean([r.moves for r in some]):.1f}",
            }
        )
    return lines


def _worst(rows: Sequence[ObjectLightRow]) -> float:
    scenes = {r.scene for r in rows}
    return min(float(np.mean([r.share for r in rows if r.scene == scene])) for scene in scenes)


def as_json(rows: Sequence[ObjectLightRow]) -> list[dict[str, object]]:
    """The rows, for a file."""
    return [asdict(row) for row in rows]
