"""Makes views with two depths: cut-outs in front of photographs, in which detection depends on focus."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from dasha_ros.assets.catalogue import AssetMissing
from dasha_ros.learning.dataset.cache.cell_content import CellReader
from dasha_ros.learning.dataset.cache.view_camera import HALF, ViewCamera
from dasha_ros.learning.dataset.scenes.description import Composites, SceneSet
from dasha_ros.learning.dataset.scenes.planes import (
    LOST_SHARE,
    best_of_each,
    steady_objects,
    stem,
    unreadable,
)
from dasha_ros.learning.dataset.scenes.views import View, ViewInfo
from dasha_ros.optics.binned import HalfSizeReadout
from dasha_ros.optics.lens import WORKING_WIDTH_PX, LensProfile
from dasha_ros.perception.percept import Box, iou
from dasha_ros.perception.quality.sharpness import Sharpness
from dasha_ros.twin.photograph import cut_out, read_photograph
from dasha_ros.twin.scene import (
    AlphaCut,
    CutoutLayer,
    PhotographLayer,
    RectangleCut,
    Scene,
    SceneError,
    SceneObject,
)

SAME = 0.4
"""A detection with at least this intersection over union belongs to the cut-out."""
OTHER = 0.1
"""A detection with less than this belongs to something else."""
TRIES = 12
"""Number of compositions tried for each wanted view."""
CARD_MARGIN = 0.06
"""Margin around the detector's box when a rectangle is cut out, as a fraction of the photograph."""
MAX_HEIGHT = 0.8
"""Greatest height of a cut-out, as a fraction of the frame's."""
Cut = AlphaCut | RectangleCut


class CompositeMaker:
    """Composes random scenes and keeps those in which focus decides whether the object is found."""

    def __init__(
        self,
        scene_set: SceneSet,
        rules: Composites,
        lens: LensProfile,
        reader: CellReader,
        readout: HalfSizeReadout,
    ) -> None:
        self._set, self._rules = scene_set, rules
        self._lens, self._reader, self._readout = lens, reader, readout
        self.skipped: dict[str, str] = {}
        """Pictures that can't be used, with the reasons."""

    def views(
        self,
        fold: int,
        count: int,
        objects: Sequence[str],
        backgrounds: Sequence[str],
        made: Callable[[], None] = lambda: None,
    ) -> list[View]:
        """Up to ``count`` views of one fold; fewer if too few compositions are suitable.

        Args:
            fold: Number of the fold; with the set's seed it decides every draw.
            count: Wanted number of views.
            objects: Pictures to cut out, used in turn.
            backgrounds: Pictures to put behind them.
            made: Called for each view.
        """
        rng = np.random.default_rng([self._set.seed, fold])
        cuts: list[tuple[str, Cut]] = []
        for photo in objects:
            cut, why_not = self._cut(photo)
            if cut is not None:
                cuts.append((photo, cut))
            else:
                self.skipped[photo] = why_not
        views: list[View] = []
        far = 0
        for attempt in range(count * TRIES if cuts and backgrounds else 0):
            photo, cut = cuts[attempt % len(cuts)]
            background = str(rng.choice(backgrounds))
            # Nothing here depends on ``count``, so a smaller one gives the first of the same views.
            is_far_due = far + 1 <= self._rules.far_share * (len(views) + 1)
            layer = int(rng.random() < 0.5 and is_far_due)
            name = f"composite/{fold}/{attempt}/{stem(photo)}-{stem(background)}"
            scene = self._composed(name, photo, cut, background, rng)
            view = self._judged(scene, layer, fold) if scene is not None and background != photo else None
            if view is not None:
                views.append(view)
                made()
                far += layer
            if len(views) == count:
                break
        return views

    def _cut(self, photo: str) -> tuple[Cut | None, str]:
        """Cut by the picture's alpha channel, or else by a rectangle at the best detection.

        Returns:
            The cut, and why there is none (empty if there is).
        """
        scene = Scene(
            name=stem(photo),
            folder=self._set.folder,
            layers=(PhotographLayer(kind="photograph", photo=photo, distance_m=1.0),),
        )
        try:
            rgb, alpha = read_photograph(scene, photo)
        except (AssetMissing, SceneError) as error:
            return None, unreadable(error)
        if alpha is not None and alpha.min() < 0.5:
            return AlphaCut(shape="alpha"), ""
        rows, columns = rgb.shape[:2]
        # Convert to the grey levels of a file, accurately enough for the detector.
        grey = (np.clip(rgb.mean(axis=2), 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)
        scale = WORKING_WIDTH_PX / max(rows, columns)
        found = self._reader.find(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
        if not found or found[0].score < self._set.min_score:
            return (
                None,
                f"nothing is found with a score of {self._set.min_score:g}, so nothing can be cut out",
            )
        x_min, y_min, x_max, y_max = np.array(found[0].box) / scale / (columns, rows, columns, rows)
        low = np.clip(np.array([x_min, y_min]) - CARD_MARGIN, 0.0, 1.0)
        high = np.clip(np.array([x_max, y_max]) + CARD_MARGIN, 0.0, 1.0)
        return RectangleCut(shape="rectangle", box=(*low.tolist(), *high.tolist())), ""

    def _composed(
        self, name: str, photo: str, cut: Cut, background: str, rng: np.random.Generator
    ) -> Scene | None:
        rules = self._rules
        near, far = (
            _drawn(rng, limits) for limits in (rules.object_distances_m, rules.background_distances_m)
        )
        layer = CutoutLayer(
            kind="cutout", photo=photo, distance_m=near, cut=cut, width=0.1, centre=(0.5, 0.5)
        )
        behind = PhotographLayer(kind="photograph", photo=background, distance_m=far)
        scene = Scene(name=name, folder=self._set.folder, layers=(layer, behind))
        try:
            rows, columns = cut_out(scene, layer)[1].shape
        except (AssetMissing, SceneError) as error:
            self.skipped.setdefault(photo, unreadable(error))
            return None
        slope = rows / columns * HALF[0] / HALF[1]
        # Enlarging a picture would blur it.
        widest = min(rules.widths[1], columns / WORKING_WIDTH_PX, MAX_HEIGHT / slope)
        width = float(rng.uniform(min(rules.widths[0], widest), widest))
        height = width * slope
        centre = (
            float(rng.uniform(width / 2, 1 - width / 2)),
            float(rng.uniform(height / 2, 1 - height / 2)),
        )
        layer = layer.model_copy(update={"width": width, "centre": centre})
        return scene.model_copy(update={"layers": (layer, behind)})

    def _judged(self, scene: Scene, layer: int, fold: int) -> View | None:
        """The view with the object in one layer; ``None`` if focus does not decide whether it is found."""
        try:
            camera = ViewCamera(scene, layer, self._lens, self._readout)
            box = _box(scene)
        except (AssetMissing, SceneError) as error:
            # The cut-out was already read, so it is the background that fails.
            self.skipped.setdefault(scene.layers[-1].photo, unreadable(error))
            return None
        mid_grey = camera.mid_grey_lux_seconds()
        distances = scene.distances_m
        separation = 1.0 / distances[layer] - 1.0 / distances[1 - layer]
        focused = camera.grey(camera.light(0.0), mid_grey)
        missed = camera.grey(camera.light(-separation), mid_grey)
        wanted = [
            found.best
            for found in steady_objects(self._reader, camera, mid_grey).values()
            if found.worst >= self._set.min_score and _is_in(layer, found.best.box, box)
        ]
        if not wanted:
            return None
        best = max(wanted, key=lambda found: found.score)
        # If the label is also found elsewhere, or through the blur, any focus would be right.
        still = best_of_each(self._reader.find(missed)).get(best.label)
        if still is not None and still.score > LOST_SHARE * best.score:
            return None
        asks_near = self._rules.contrast_misleads and layer == 0
        if asks_near and Sharpness(focused).frame() >= Sharpness(missed).frame():
            return None
        info = ViewInfo(
            name=f"{scene.name}/{best.label}",
            kind="composite",
            label=best.label,
            photographs=tuple(item.photo for item in scene.layers),
            separation_dioptres=separation,
            distances_m=distances,
            layer=layer,
            fold=fold,
            score=best.score,
            mid_grey_lux_seconds=mid_grey,
        )
        thing = SceneObject(label=best.label, layer=layer)
        return View(info, scene.model_copy(update={"name": info.name, "objects": (thing,)}))


def _is_in(layer: int, found: Box, cutout: Box) -> bool:
    """Whether a detection is that of the cut-out (layer 0) or of something behind it."""
    return iou(found, cutout) >= SAME if layer == 0 else iou(found, cutout) < OTHER


def _box(scene: Scene) -> Box:
    """The cut-out's box in the working image [px]."""
    layer = scene.layers[0]
    assert isinstance(layer, CutoutLayer)
    rows, columns = cut_out(scene, layer)[1].shape
    height_px = WORKING_WIDTH_PX * HALF[1] / HALF[0]
    width = layer.width * WORKING_WIDTH_PX
    height = width * rows / columns
    x, y = layer.centre[0] * WORKING_WIDTH_PX, layer.centre[1] * height_px
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _drawn(rng: np.random.Generator, limits: tuple[float, float]) -> float:
    """A random distance [m], uniform in dioptres between two limits."""
    return float(1.0 / rng.uniform(1.0 / limits[1], 1.0 / limits[0]))
