"""The page of failed episodes on photographs: the view as the lens showed it, without noise."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.trials.page import PICTURE_WIDTH, Failure, Shown, write_page
from dasha_ros.learning.dataset.scenes.views import View
from dasha_ros.learning.evaluation.arenas import shifted_distances
from dasha_ros.optics.lens import LensModel
from dasha_ros.optics.tone import srgb_of_levels
from dasha_ros.twin.renderer import Renderer

_SIZE = (PICTURE_WIDTH, round(PICTURE_WIDTH * 1088 / 2048))
_LEVELS = 4096
_BRIGHT = 99.0
"""This percentile of the light is shown as white."""
_RENDERERS_KEPT = 4


def write_view_page(folder: Path, views: Sequence[View], rows: Sequence[Row], lens: LensModel) -> Path:
    """Write the page of the failed ones among some episodes; see `write_page`.

    Args:
        folder: Where to.
        views: The views that the rows name.
        rows: Rows of `row.episode_row`.
        lens: The lens that the episodes were played with.

    Raises:
        PageError: The folder can't be written.
        SceneError: A view can't be shown any more.
        AssetMissing: A photograph is not on this machine any more.
    """
    painter = _Painter({view.info.name: view for view in views}, lens)
    settings = ", ".join(dict.fromkeys(str(row["setting"]) for row in rows))
    return write_page(folder, f"Photographs, {settings}: failed episodes", rows, painter.failure)


class _Painter:
    def __init__(self, views: Mapping[str, View], lens: LensModel) -> None:
        self._views, self._lens = views, lens
        self._renderers: OrderedDict[str, Renderer] = OrderedDict()

    def failure(self, row: Row) -> Failure:
        first_px, last_px = row["trajectory_px"][0], row["trajectory_px"][-1]
        start, end = (
            self._lens.dioptres(row["trajectory"][which]) + row["drift_dioptres"] for which in (0, -1)
        )
        return Failure(
            row,
            self._shown(row, start, f"start: {first_px:.1f} px of blur"),
            self._shown(row, end, f"end: {last_px:.1f} px of blur"),
            self._shown(row, row["object_dioptres"], "where the object is sharpest"),
            self._lens.unit,
        )

    def _shown(self, row: Row, focus: float, caption: str) -> Shown:
        name = f"{row['view']}/{row['object_dioptres']}/{focus:.3f}"
        return Shown(caption, name, lambda: self._picture(row, focus))

    def _picture(self, row: Row, focus: float) -> NDArray[np.uint8]:
        view = self._views[row["view"]]
        if row["view"] not in self._renderers:
            self._renderers[row["view"]] = Renderer(view.scene, *_SIZE, lens=self._lens)
            if len(self._renderers) > _RENDERERS_KEPT:
                self._renderers.popitem(last=False)
        light = self._renderers[row["view"]].render(
            focus, shifted_distances(view.info, row["object_dioptres"])
        )
        white = max(float(np.percentile(light, _BRIGHT)), 1e-6)
        levels = np.rint(np.clip(light / white, 0.0, 1.0) * (_LEVELS - 1)).astype(np.intp)
        return np.asarray(srgb_of_levels(_LEVELS)[levels], np.uint8)
