"""A percept cache in closed form: latents and detections fall with blur, no pixels. For tests of training."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dasha_ros.estimation.readout import CHANNELS, GRID_COLUMNS, GRID_ROWS, GRID_SIZE
from dasha_ros.learning.dataset.cache.axes import PLANE, Grid, Grids, kind_of
from dasha_ros.learning.dataset.cache.cells import CellMap
from dasha_ros.learning.dataset.cache.colour_camera import COLOUR_FIELDS
from dasha_ros.learning.dataset.cache.layout import CELL, GREY, Field, Meta
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.store import Store
from dasha_ros.learning.dataset.scenes.views import View, ViewInfo
from dasha_ros.perception.quality.detail import BANDS
from dasha_ros.twin.scene import Scene

PX = 8.877840909090908
LATENT = 8
HALF = (0.0, 0.1, 0.2, 0.35, 0.6, 1.0, 1.7, 3.0, 5.5, 9.5)
NEAR = (-9.5, -3.0, -1.0, -0.35, 0.0, 0.35, 1.0, 3.0, 9.5)
GRIDS = Grids(
    focus=Grid(HALF, NEAR, (-0.8, 0.7), 1),
    light=Grid((0.0, 3.0), (-3.0, 0.0, 3.0), (-9.0, -5.0, -2.0, 2.0, 5.0), 1),
    grey=Grid((0.0, 3.0), (-3.0, 0.0, 3.0), tuple(float(i) / 2 for i in range(-26, 17))),
)


def synthetic_cache(
    folder: Path, planes: int = 10, composites: int = 0, *, colour: bool = False
) -> PerceptCache:
    """A complete cache of so many views in five folds.

    With colour, red has more detail where the lens is focused nearer, and a share of its own everywhere.
    """
    views = [_view(i, "plane") for i in range(planes)]
    views += [_view(planes + i, "composite") for i in range(composites)]
    cell = {
        "latent": ((LATENT,), "float16"),
        "latent_grid": ((GRID_SIZE,), "float16"),
        **dict.fromkeys(("brisque", "sharpness", "score", "box_sharpness"), ((), "float32")),
        "box": ((4,), "float32"),
        **dict.fromkeys(("box_detail", "object_detail"), ((BANDS,), "float32")),
        **(dict.fromkeys(COLOUR_FIELDS, ((2, 2, BANDS), "float32")) if colour else {}),
    }
    grey = {"mean_grey": ((), "float32"), "histogram": ((10,), "float16")}
    fields = {name: Field(CELL, *kind) for name, kind in cell.items()}
    fields |= {name: Field(GREY, *kind) for name, kind in grey.items()}
    meta = Meta(
        key="synthetic",
        scene_set="synthetic",
        pictures={f"photo{i}": "0" * 64 for i in range(planes + composites)},
        skipped={},
        encoders={"latent": "efficientnet_lite0", "latent_grid": "efficientnet_lite0_grid"},
        detector="none",
        focal_length_mm=25.0,
        f_number=2.0,
        grids=GRIDS,
        fields=fields,
        version="0",
    )
    store = Store.create(folder, meta, views)
    store.reserve()
    arrays = store.arrays("r+")
    for i in range(len(views)):
        store.mark_done(i, 0)
    cache = PerceptCache.open(folder, verify=False)
    where = CellMap(cache)
    for i in range(len(views)):
        random = np.random.default_rng(i)
        fall = np.linspace(0.1, 0.9, CHANNELS)
        level = np.exp(0.2 * random.normal() + 0.02 * random.normal(size=CHANNELS))
        for cells in (where.focus_cells(i), where.light_cells(i)):
            for d, defocus in enumerate(cells.defocus):
                for e, ev in enumerate(cells.ev):
                    row = cells.rows[d, e, 0]
                    radius = abs(defocus) * PX
                    light = 2.0 ** np.clip(0.3 * ev, -2.0, 1.0)
                    deviation = level * light * (1.0 + radius) ** -fall
                    block = np.stack([np.full(CHANNELS, 0.5 * light), deviation])
                    arrays["latent_grid"][row] = np.tile(block, (GRID_ROWS * GRID_COLUMNS, 1, 1)).ravel()
                    arrays["latent"][row] = np.exp(-radius * np.linspace(0.02, 0.5, LATENT)) * light
                    arrays["score"][row] = 0.9 * np.exp(-((radius / 9.0) ** 2)) * (abs(ev) < 3.0)
                    arrays["box"][row] = (0.2, 0.2, 0.7, 0.8)
                    detail = 6.0 + level[:BANDS] - np.log1p(radius) * np.linspace(2.0, 0.2, BANDS)
                    arrays["box_detail"][row] = arrays["object_detail"][row] = detail
                    if colour:
                        for side, sign in enumerate((1.0, -1.0)):
                            where_it_is = np.sign(defocus) if kind_of(views[i].info) != PLANE else sign
                            ratio = where_it_is * np.exp(-radius / 3.0) + 0.3 * np.log(level[0])
                            for name in COLOUR_FIELDS:
                                arrays[name][row, side] = np.stack([detail + ratio, detail])
                    arrays["brisque"][row] = 20.0 + 60.0 * (1.0 - 1.0 / (1.0 + radius / 4.0))
                    arrays["sharpness"][row] = 1.0 / (1.0 + radius)
        _greys(arrays, store, i)
        store.mark_done(i, store.checksum(arrays, i))
    return PerceptCache.open(folder, verify=False)


def _greys(arrays: dict[str, np.ndarray], store: Store, view: int) -> None:
    grid, part = store.meta.grids.grey, store.layout.part(GREY, view)
    kind = int(store.layout.kinds[view])
    means = np.clip(100.0 * 2.0 ** np.array(grid.ev), 0.0, 255.0)
    each = np.tile(means, len(grid.defocus(kind)))
    arrays["mean_grey"][part] = each
    shares = np.zeros((len(each), 10))
    shares[np.arange(len(each)), np.minimum(each / 25.5, 9.0).astype(int)] = 1.0
    arrays["histogram"][part] = shares


def _view(number: int, kind: str) -> View:
    near = {"kind": "cutout", "photo": f"photo{number}", "distance_m": 0.8, "cut": {"shape": "rectangle"},
            "width": 0.3, "centre": (0.5, 0.5)}  # fmt: skip
    far = {
        "kind": "photograph",
        "photo": f"photo{number}",
        "distance_m": 10.0 if kind == "composite" else 1.0,
    }
    layers = [near, far] if kind == "composite" else [far]
    scene = Scene.model_validate({"name": f"view{number}", "folder": "/", "layers": layers})
    info = ViewInfo(
        name=f"view{number}",
        kind=kind,  # type: ignore[arg-type]
        label="cat",
        photographs=(f"photo{number}",),
        separation_dioptres=1.15 if kind == "composite" else 0.0,
        distances_m=scene.distances_m,
        fold=number % 5,
        score=0.9,
        mid_grey_lux_seconds=1.0,
    )
    return View(info, scene)
