"""A percept cache in closed form: textured planes, and objects before a background. For tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from analytic_rig import EDGES, _tenengrad

from dasha_ros.learning.dataset.cache.axes import Grids
from dasha_ros.learning.dataset.cache.cell_content import LIGHT_FIELDS, SCALARS
from dasha_ros.learning.dataset.cache.layout import CELL, GREY, Field, Meta
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.store import Store
from dasha_ros.learning.dataset.scenes.views import View, ViewInfo
from dasha_ros.optics.profiles import lens_model
from dasha_ros.twin.scene import Scene

ENCODERS = {"latent": "analytic", "latent_small": "analytic_small"}
_SIZES = {"latent": 4, "latent_small": 2}
MID_GREY = 100.0


def analytic_cache(folder: Path, planes: int = 6, composites: int = 3, folds: int = 3) -> PerceptCache:
    """Make a complete cache; view i is in fold i mod ``folds``."""
    views = [_view(i, i % folds) for i in range(planes)]
    views += [_view(i, i % folds, separation=0.9 + 0.1 * (i % 3)) for i in range(composites)]
    fields = {name: Field(CELL, (_SIZES[name],), "float16") for name in ENCODERS}
    fields |= {name: Field(CELL, shape, np.dtype(t).name) for name, (shape, t) in SCALARS.items()}
    fields |= {name: Field(GREY, shape, np.dtype(t).name) for name, (shape, t) in LIGHT_FIELDS.items()}
    lens = lens_model()
    meta = Meta(
        key="analytic", scene_set="analytic", pictures={}, skipped={}, encoders=ENCODERS, detector="none",
        focal_length_mm=lens.focal_length_mm, f_number=lens.f_number,
        grids=Grids(), fields=fields, version="0",
    )  # fmt: skip
    store = Store.create(folder, meta, views)
    store.reserve()
    arrays = store.arrays("r+")
    for number, view in enumerate(views):
        _fill(store, arrays, number, view.info)
        for array in arrays.values():
            array.flush()
        store.mark_done(number, store.checksum(arrays, number))
    return PerceptCache.open(folder)


def _view(i: int, fold: int, separation: float = 0.0) -> View:
    kind = "composite" if separation else "plane"
    distances = (1.0 / (0.1 + separation), 10.0) if separation else (1.0,)
    names = (f"{kind}{i}.png",)
    info = ViewInfo(
        f"{kind}/{i}", kind, "cat", names, separation, distances, 0, fold, 0.9, mid_grey_lux_seconds=2.0
    )
    layers = [{"kind": "photograph", "photo": names[0], "distance_m": distances[-1]}]
    if separation:
        cut = {"shape": "rectangle"}
        layers.insert(0, {
            "kind": "cutout", "photo": names[0], "distance_m": distances[0], "width": 0.3,
            "centre": (0.5, 0.5), "cut": cut,
        })  # fmt: skip
    scene = Scene.model_validate({"name": info.name, "folder": "/nowhere", "layers": layers})
    return View(info, scene)


def _fill(store: Store, arrays: dict, number: int, info: ViewInfo) -> None:
    grids, kind = store.meta.grids, int(store.layout.kinds[number])
    gain = 0.5 + 0.3 * number
    for grid, begin in ((grids.focus, store.layout.focus), (grids.light, store.layout.light)):
        for row, (defocus, ev) in enumerate(_points(grid, kind), int(begin[number])):
            for name, value in _cell(info, gain, defocus, ev).items():
                arrays[name][row] = value
    for row, (_, ev) in enumerate(_points(grids.grey, kind), int(store.layout.grey[number])):
        grey = min(MID_GREY * 2.0**ev, 255.0)
        arrays["mean_grey"][row] = grey
        arrays["histogram"][row] = np.eye(10)[min(int(np.searchsorted(EDGES, grey, "right")) - 1, 9)]


def _points(grid, kind: int) -> Sequence[tuple[float, float]]:
    return [(d, ev) for d in grid.defocus(kind) for ev in grid.ev for _ in range(grid.draws)]


def _cell(info: ViewInfo, gain: float, defocus: float, ev: float) -> dict:
    per_dioptre = abs(lens_model().blur_px(1.0, 0.0))
    blur = per_dioptre * abs(defocus)
    own = whole = _tenengrad(blur)
    if info.kind == "composite":
        whole = (own + 5.0 * _tenengrad(per_dioptre * abs(defocus + info.separation_dioptres))) / 6.0
    visible = float(-3.0 < ev < 2.0)
    return {
        "latent": (defocus, ev, gain, 1.0), "latent_small": (defocus, ev), "brisque": 90.0 - 75.0 * whole,
        "blur_features": 0.0, "sharpness": gain * whole, "box_sharpness": gain * own,
        "score": visible * 0.9 * (0.3 / 0.9) ** ((blur / 6.0) ** 2), "box": (0.3, 0.3, 0.6, 0.6),
        **dict.fromkeys(("box_detail", "object_detail"), 6.0 - blur / np.arange(1.0, 7.0)),
    }  # fmt: skip
