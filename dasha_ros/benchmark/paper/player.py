"""Plays goals in the twin for the parts that show pictures; keeps each picture, and what was seen in it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from dasha_ros.benchmark.episodes import HEIGHT, WIDTH
from dasha_ros.benchmark.paper.part import Context, PartMissingError
from dasha_ros.benchmark.paper.parts.recall.measure import MIN_SCORE, Agents
from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.trials.journal import Journal, JournalError, key_of
from dasha_ros.control.loop import run_exposure, run_focus
from dasha_ros.control.step import Step
from dasha_ros.control.twin_rig import TwinRig
from dasha_ros.files.errors import FileError
from dasha_ros.files.pictures import read_picture
from dasha_ros.files.writing import disk_errors, write_whole
from dasha_ros.perception.annotate import to_jpeg
from dasha_ros.perception.errors import ModelError, UnknownModelError
from dasha_ros.perception.percept import Percept
from dasha_ros.perception.pipeline import Perception
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import ExposureTask, FocusTask
from dasha_ros.policies.registry import exposure_policy, focus_policy
from dasha_ros.twin.scene import Scene, load_scene
from dasha_ros.twin.world import World

_FORMAT = 2
"""Raise it when an episode of the same id would go another way: old rows are then played anew."""
_QUALITY = 90


@dataclass(frozen=True)
class Setting:
    """A goal, and how it begins."""

    title: str
    """Names it for people."""
    world: World
    labels: tuple[str, ...]
    """What is asked for; empty: any object."""
    position: float
    exposure_us: float
    seed: int = 0
    """Seed of the sensor's noise."""


class Player:
    """Plays settings with one detector; what a journal holds, with its pictures, is not played again."""

    def __init__(
        self,
        context: Context,
        part: str,
        journal: Journal,
        perception: Perception,
        *,
        size: tuple[int, int] = (WIDTH, HEIGHT),
        agents: Agents | None = None,
    ) -> None:
        """Nothing played yet.

        Args:
            context: The run; pictures go into the folder ``PART-pictures``.
            part: Name of the part.
            journal: Keeps a row for each episode.
            perception: With the detector, and the encoders that the agents read.
            size: Width and height of the rendered frames [px].
            agents: The policies; ``plus`` if left out.
        """
        self._folder, self._part, self._journal = context.folder, part, journal
        self._perception, self._size, self._agents = perception, size, agents or Agents()
        self._rig: TwinRig | None = None
        self._scene: Scene | None = None
        self._shown = ""

    def rig(self, scene: str) -> TwinRig:
        """The twin before a scene; kept until another scene is asked for.

        Raises:
            DeviceError: The scene can't be shown.
        """
        if self._rig is None or self._shown != scene:
            width, height = self._size
            self._scene, self._shown = load_scene(scene), scene
            self._rig = TwinRig(self._perception, World(scene), width=width, height=height)
        return self._rig

    def play(self, setting: Setting) -> Row:
        """One goal: A^H, then A^L.

        Returns:
            ``title``, ``code`` (how it ended) and ``shots``: for each picture ``agent``, ``step``,
            ``exposure_us``, ``position``, ``focus_d`` (true focus [1/m]), ``mean_grey``, ``brisque``,
            ``blur_px`` (true radius of the wanted object's blur [px at 640]), ``score`` and ``box`` (of the
            best wanted detection, as fractions of the frame; ``None`` without one), ``scores`` (the best one
            of each object of the scene, whatever was asked for) and ``picture`` (a JPEG).

        Raises:
            DeviceError: The scene can't be shown.
            JournalError: The disk is full.
        """
        detector, agents = self._perception.detector.id, self._agents.digest
        name = key_of(_FORMAT, detector, agents, asdict(setting), self._size)
        row = self._journal.take(name, {"title", "code", "shots"})
        if row is not None and all(_is_picture(self._folder / shot["picture"]) for shot in row["shots"]):
            return row
        return self._journal.add(name, self._played(setting, name))

    def _played(self, setting: Setting, name: str) -> Row:
        rig, agents, labels = self.rig(setting.world.scene), self._agents, frozenset(setting.labels)
        shots: list[Row] = []

        def on_step(step: Step) -> None:
            # A^L begins with the settings that A^H left: no new picture to show.
            if step.command is not None or not shots:
                path = f"{self._part}-pictures/{name}-{len(shots)}.jpg"
                self._write(path, step.percept)
                seen = self._seen(setting, step.percept)
                shots.append({"agent": step.agent, "step": step.index, **seen, "picture": path})

        rig.begin(setting.world, setting.position, setting.exposure_us, zlib.crc32(name.encode()))
        code = run_exposure(rig, exposure_policy(agents.exposure), ExposureTask(rig.table), on_step).code
        if code is ErrorCode.NONE:
            task = FocusTask(rig.lens, labels, min_score=MIN_SCORE)
            code = run_focus(rig, focus_policy(agents.focus), task, on_step).code
        return {"title": setting.title, "code": code.name, "shots": shots}

    def _seen(self, setting: Setting, percept: Percept) -> Row:
        rig, scene, layers = self.rig(setting.world.scene), self._scene, setting.world.distances_m
        assert scene is not None
        targets = [
            1.0 / m for label in setting.labels or scene.labels for m in scene.object_distances(label, layers)
        ]
        wanted = percept.of(setting.labels)
        best = wanted[0] if wanted else None
        frame = (percept.width, percept.height) * 2
        box = [round(v / size, 4) for v, size in zip(best.box, frame, strict=True)] if best else None
        return {
            "exposure_us": percept.capture.exposure_us,
            "position": round(percept.lens.commanded_position, 4),
            "focus_d": round(rig.focus_dioptres, 4),
            "mean_grey": round(percept.mean_grey, 1),
            "brisque": round(percept.brisque, 2),
            "blur_px": round(min(abs(rig.lens.blur_px(rig.focus_dioptres, at)) for at in targets), 3),
            "score": round(best.score, 4) if best else 0.0,
            "label": best.label if best else "",
            "box": box,
            "scores": {label: round(_score(percept, label), 4) for label in scene.labels},
        }

    def _write(self, path: str, percept: Percept) -> None:
        with disk_errors(JournalError, self._folder):
            (self._folder / path).parent.mkdir(exist_ok=True)
            write_whole(self._folder / path, to_jpeg(self._perception.picture(percept), _QUALITY))


def _is_picture(path: Path) -> bool:
    try:
        read_picture(path)
    except FileError:
        return False
    return True


def _score(percept: Percept, label: str) -> float:
    return max((found.score for found in percept.of({label})), default=0.0)


def first_detector(context: Context, agents: Agents) -> tuple[str, Perception]:
    """The first detector of a run that is on this machine: its name, and perception with it.

    Raises:
        PartMissingError: There is none.
        UnknownModelError: No detector has one of the names.
    """
    absent = []
    for name in context.detectors:
        try:
            return name, agents.perception(name)
        except UnknownModelError:
            raise
        except ModelError as error:
            absent.append(str(error))
    raise PartMissingError(f"no detector could be loaded: {'; '.join(absent)}")


def shot_rows(episodes: Sequence[Row]) -> list[Row]:
    """A row for each picture of some episodes, for a CSV."""
    kept = ("agent", "step", "exposure_us", "position", "focus_d", "mean_grey", "brisque", "blur_px", "score")
    return [
        {"title": row["title"], "code": row["code"], **{key: shot[key] for key in kept}}
        for row in episodes
        for shot in row["shots"]
    ]
