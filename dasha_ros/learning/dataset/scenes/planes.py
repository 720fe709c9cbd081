"""Makes planes of photographs: the objects that the detector finds in the sharp picture become goals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dasha_ros.assets.catalogue import AssetMissing
from dasha_ros.files.errors import FileError
from dasha_ros.learning.dataset.cache.cell_content import CellReader
from dasha_ros.learning.dataset.cache.view_camera import ViewCamera
from dasha_ros.learning.dataset.scenes.description import Framing, Planes, SceneSet
from dasha_ros.learning.dataset.scenes.views import View, ViewInfo
from dasha_ros.optics.binned import HalfSizeReadout
from dasha_ros.optics.lens import LensProfile
from dasha_ros.perception.percept import Detection
from dasha_ros.twin.scene import PhotographLayer, Scene, SceneError, SceneObject

EXPOSURES_EV = (0.0, -0.75, 0.6)
"""Mid grey, and the ends of the well-exposed range (mean grey 60..150)."""
LOST_SHARE = 0.5
"""An object counts as lost when its score falls below this share of that in the sharp view."""


class PlaneMaker:
    """Makes views of photographs, for objects that an agent can look for."""

    def __init__(
        self,
        scene_set: SceneSet,
        rules: Planes,
        lens: LensProfile,
        reader: CellReader,
        readout: HalfSizeReadout,
    ) -> None:
        self._set, self._rules = scene_set, rules
        self._lens, self._reader, self._readout = lens, reader, readout

    def views(self, photo: str, fold: int) -> tuple[list[View], str]:
        """The best views of one photograph.

        Returns:
            The views, and why there are none (empty if there are).
        """
        found: list[View] = []
        reason = "the detector finds nothing in the sharp picture"
        for number, framing in enumerate(self._rules.framings):
            try:
                views, why_not = self._framed(photo, framing, number, fold)
            except (AssetMissing, SceneError) as error:
                return [], unreadable(error)
            found += views
            reason = why_not or reason
        found.sort(key=lambda view: -view.info.score)
        kept = found[: self._rules.views_per_photograph]
        return kept, "" if kept else reason

    def _framed(self, photo: str, framing: Framing, number: int, fold: int) -> tuple[list[View], str]:
        layer = PhotographLayer(
            kind="photograph", photo=photo, distance_m=1.0, centre=framing.centre, zoom=framing.zoom
        )
        scene = Scene(name=f"plane/{stem(photo)}/{number}", folder=self._set.folder, layers=(layer,))
        camera = ViewCamera(scene, 0, self._lens, self._readout)
        mid_grey = camera.mid_grey_lux_seconds()
        sharp = steady_objects(self._reader, camera, mid_grey)
        blurred: dict[str, Detection] = {}
        if self._rules.lost_at_dioptres is not None:
            light = camera.light(self._rules.lost_at_dioptres)
            blurred = best_of_each(self._reader.find(camera.grey(light, mid_grey)))
        views, why_not = [], ""
        for label, seen in sharp.items():
            if seen.worst < self._set.min_score:
                why_not = why_not or (
                    f"{label} is found with a score of {seen.best.score:.2f}, and of {seen.worst:.2f} at the "
                    f"worst exposure that A^H may hand over; {self._set.min_score:g} is needed"
                )
                continue
            if label in blurred and blurred[label].score > LOST_SHARE * seen.best.score:
                why_not = f"{label} is found however blurred the picture is"
                continue
            info = ViewInfo(
                name=f"{scene.name}/{label}",
                kind="plane",
                label=label,
                photographs=(photo,),
                fold=fold,
                score=seen.best.score,
                mid_grey_lux_seconds=mid_grey,
            )
            thing = SceneObject(label=label, layer=0)
            views.append(View(info, scene.model_copy(update={"name": info.name, "objects": (thing,)})))
        return views, why_not


@dataclass(frozen=True)
class SteadyObject:
    """An object, with its scores over the exposures that A^H may hand over."""

    best: Detection
    """The best detection at mid grey."""
    worst: float
    """Least score of its label at the exposures `EXPOSURES_EV`."""


def steady_objects(reader: CellReader, camera: ViewCamera, mid_grey: float) -> dict[str, SteadyObject]:
    """The objects in the sharp picture, by label, best first."""
    light = camera.light(0.0)
    seen = [best_of_each(reader.find(camera.grey(light, mid_grey * 2.0**ev))) for ev in EXPOSURES_EV]
    return {
        label: SteadyObject(best, min(found[label].score if label in found else 0.0 for found in seen))
        for label, best in seen[0].items()
    }


def best_of_each(found: Iterable[Detection]) -> dict[str, Detection]:
    """The best detection of each label; ``found`` has the best score first."""
    best: dict[str, Detection] = {}
    for detection in found:
        best.setdefault(detection.label, detection)
    return best


class Unreadable(str):
    """Why a picture can't be read at all; other reasons are about its content."""

    __slots__ = ()


def unreadable(error: AssetMissing | SceneError) -> Unreadable:
    """The reason, without the name of the picture."""
    cause = error.__cause__
    return Unreadable(cause.reason if isinstance(cause, FileError) else error)


def stem(photo: str) -> str:
    """A short name of a photograph: its path below ``photos/`` or ``cutouts/``; its file's name elsewhere."""
    path = Path(photo)
    inside = path.name if path.is_absolute() else str(Path(*path.parts[1:]) if len(path.parts) > 1 else path)
    return inside.rsplit(".", 1)[0].replace("/", "-")
