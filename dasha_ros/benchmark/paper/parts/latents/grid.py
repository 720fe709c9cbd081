"""Percepts of one scene over exposure and focus, and a rig that looks them up."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dasha_ros.benchmark.trials.journal import JournalError
from dasha_ros.control.twin_rig import TwinRig
from dasha_ros.files.arrays import read_arrays
from dasha_ros.files.errors import FileError
from dasha_ros.files.writing import disk_errors, replacing
from dasha_ros.freshness.command import NO_COMMAND
from dasha_ros.freshness.state import CaptureInfo, LensState
from dasha_ros.optics.exposure_table import ExposureTable
from dasha_ros.optics.lens import LensModel
from dasha_ros.perception.detectors import Detector
from dasha_ros.perception.percept import Detection, Percept
from dasha_ros.perception.pipeline import Perception
from dasha_ros.perception.quality.histogram import EDGES
from dasha_ros.twin.world import World

MIN_SCORE = 0.1
"""Weaker detections are not kept."""


@dataclass(frozen=True)
class Grid:
    """What is varied."""

    world: World
    label: str
    exposures_us: tuple[float, ...]
    positions: tuple[float, ...]
    size: tuple[int, int]
    """Width and height of the rendered frames [px]."""
    seed: int = 0

    def __len__(self) -> int:
        """Number of points."""
        return len(self.exposures_us) * len(self.positions)


Column = dict[str, list[Percept]]
"""The percepts of one position: for each detector one for each exposure."""


def look(
    rig: TwinRig, perception: Perception, grid: Grid, number: int, detectors: Mapping[str, Detector]
) -> Column:
    """Take the pictures of one position; they are the same for all detectors.

    Raises:
        DeviceError: A value is out of range.
    """
    column: Column = {name: [] for name in detectors}
    for index, exposure_us in enumerate(grid.exposures_us):
        # Every point has noise of its own, whatever is taken before it.
        noise = grid.seed + len(grid.exposures_us) * number + index
        rig.begin(grid.world, grid.positions[number], exposure_us, noise)
        percept = rig.observe()
        picture = perception.picture(percept)
        across, down = percept.width / picture.shape[1], percept.height / picture.shape[0]
        for name, detector in detectors.items():
            found = tuple(
                replace(d, box=(d.box[0] * across, d.box[1] * down, d.box[2] * across, d.box[3] * down))
                for d in detector.detect(picture, MIN_SCORE, (grid.label,))
            )
            column[name].append(replace(percept, detections=found))
    return column


def keep(column: Column, path: Path) -> None:
    """Write a column to a file.

    Raises:
        JournalError: The disk is full or the folder can't be written.
    """
    percepts = next(iter(column.values()))
    found = {
        name: [[(d.label, d.score, d.box) for d in percept.detections] for percept in each]
        for name, each in column.items()
    }
    with disk_errors(JournalError, path):
        path.parent.mkdir(exist_ok=True)
        with replacing(path) as file:
            np.savez(
                file,
                latent=np.stack([p.latent for p in percepts]),
                detail=np.stack([p.detail for p in percepts]),
                counts=np.stack([p.histogram_counts for p in percepts]),
                numbers=np.array([(p.histogram_peak, p.mean_grey, p.brisque, p.sharpness) for p in percepts]),
                taken=np.array([(p.capture.exposure_us, p.lens.commanded_position) for p in percepts]),
                frame=np.array([(p.width, p.height) for p in percepts]),
                found=np.array(json.dumps(found)),
                encoder=np.array(percepts[0].encoder),
            )


def kept(path: Path, detectors: Collection[str]) -> Column | None:
    """Read a column; ``None`` if it is not there, damaged, or lacks a detector: it is then taken again."""
    try:
        held = read_arrays(path)
        found = json.loads(str(held["found"]))
        return {name: _percepts(held, found[name]) for name in detectors}
    except (FileError, KeyError, ValueError):
        return None


def _percepts(held: Mapping[str, NDArray[Any]], found: Sequence[Any]) -> list[Percept]:
    percepts = []
    for i, (exposure_us, position) in enumerate(held["taken"]):
        peak, grey, brisque, sharpness = map(float, held["numbers"][i])
        percepts.append(
            Percept(
                capture=CaptureInfo(0, float(exposure_us), 0.0, NO_COMMAND, 0),
                lens=LensState(NO_COMMAND, float(position), float(position), True, 0),
                width=int(held["frame"][i][0]),
                height=int(held["frame"][i][1]),
                encoder=str(held["encoder"]),
                latent=held["latent"][i],
                detail=held["detail"][i],
                histogram_counts=held["counts"][i],
                histogram_edges=EDGES,
                histogram_peak=peak,
                mean_grey=grey,
                brisque=brisque,
                sharpness=sharpness,
                detections=tuple(Detection(label, score, tuple(box)) for label, score, box in found[i]),
            )
        )
    return percepts


class GridRig:
    """Implements `Rig` over a grid: what is asked for is what was taken nearest to it."""

    def __init__(
        self, grid: Grid, columns: Sequence[Sequence[Percept]], lens: LensModel, table: ExposureTable
    ) -> None:
        """Begin at the first point.

        Args:
            grid: What was varied.
            columns: For each position the percepts of all exposures.
            lens: As policies know it.
            table: A^H's exposures.
        """
        self.table, self._lens, self.columns = table, lens, columns
        self._exposures = np.log(np.array(grid.exposures_us))
        self._positions = np.array(grid.positions)
        self.point = 0, 0
        """Numbers of the position and of the exposure in force."""

    @property
    def lens(self) -> LensModel:
        """See `Rig`."""
        return self._lens

    def observe(self) -> Percept:
        """See `Rig`."""
        return self.columns[self.point[0]][self.point[1]]

    def expose(self, exposure_us: float) -> Percept:
        """See `Rig`; the nearest exposure by its logarithm."""
        self.point = self.point[0], int(np.abs(self._exposures - np.log(exposure_us)).argmin())
        return self.observe()

    def move(self, position: float) -> Percept:
        """See `Rig`; the nearest position."""
        self.point = int(np.abs(self._positions - position).argmin()), self.point[1]
        return self.observe()
