"""The percept cache: percepts of every view over defocus and light, computed once and looked up.

Training needs hundreds of thousands of percepts. Rendering and reading one takes 60 ms, looking
one up a few microseconds. Three grids (`axes.Grids`) are stored for every view:

- ``focus``: fine in defocus, three exposures around mid grey: what A^L sees after A^H;
- ``light``: coarse in defocus, from black to blown out: what A^H sees;
- ``grey``: histogram and mean grey alone, in steps of 1/4 EV.

Values are interpolated linearly between cells, in defocus and in exposure; sharpness by its logarithm,
because it spans decades; a box and its detail are taken from the nearest cell. All cells of a view and a draw
have the same noise, so interpolation does not average it away. Composites have a signed axis of defocus;
planes store half of it, because their blur has no sign. ``dasha cache check`` measures how far look-ups are
from renderings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dasha_ros.files.naming import expanded
from dasha_ros.freshness.state import CaptureInfo, LensState
from dasha_ros.learning.dataset.cache.axes import Locator
from dasha_ros.learning.dataset.cache.colour_camera import COLOUR_FIELDS, FARTHER, NEARER
from dasha_ros.learning.dataset.cache.layout import CELL, GREY
from dasha_ros.learning.dataset.cache.store import CacheError, Store
from dasha_ros.learning.dataset.cache.view_camera import FRAME
from dasha_ros.learning.dataset.scenes.views import ViewInfo
from dasha_ros.optics.lens import WORKING_WIDTH_PX, LensProfile
from dasha_ros.optics.varioptic import PhysicalLens
from dasha_ros.perception.encoders.joint import SEPARATOR
from dasha_ros.perception.percept import NO_COLOUR_DETAIL, Detection, Percept
from dasha_ros.perception.quality.detail import COLUMNS, ROWS, SHAPE, DetailMap, codes
from dasha_ros.perception.quality.histogram import EDGES

MIN_SCORE = 0.1
"""Least score of a percept's detections: the default of `Perception`."""
PIXELS = WORKING_WIDTH_PX * WORKING_WIDTH_PX * FRAME[1] // FRAME[0]
"""Number of pixels of perception's working image."""
JOINT = "latent+latent_grid"
"""The latents of the graph's joint encoder, which contains those of every kind of policy."""
_NEAREST = ("box", "box_detail", "box_colour")
_DETAIL = ("box_detail", "object_detail")
_BY_LOGARITHM = "sharpness"
_LEAST_SHARPNESS = 1e-9

Ints = NDArray[np.integer[Any]]
Floats = NDArray[np.floating[Any]]
Rows = NDArray[np.intp]


class PerceptCache:
    """Percepts by view, defocus, exposure and noise draw."""

    def __init__(self, store: Store) -> None:
        """Map the files of a complete cache; see `open`.

        Raises:
            CacheError: A file is missing or of another size.
        """
        self.path = store.folder
        self.meta = store.meta
        self.views: tuple[ViewInfo, ...] = tuple(view.info for view in store.views)
        self.scenes = tuple(view.scene for view in store.views)
        """The scene that the twin renders for each view."""
        self.fields: dict[str, NDArray[Any]] = store.arrays()
        """One array for each field, a row for each cell: ``latent``, ``latent_grid`` and
        ``latent_early`` (float16), ``brisque``, ``blur_features`` (36 BRISQUE features and 8
        energies), ``sharpness``, ``score`` (best of the view's label, 0 below 0.02), ``box``
        (fractions of the frame), ``box_sharpness``, ``box_detail`` (`object_detail` of that box, NaN without
        one), ``object_detail`` (the same of the box in the sharp picture); in the focus grid of a cache with
        colour ``box_colour`` and ``object_colour`` (the same of red and of blue, on both sides of the focus;
        see `colour_camera`); and in the grey grid ``mean_grey`` and ``histogram`` (10 shares that add up to
        1)."""
        layout, grids = store.layout, store.meta.grids
        self._focus = Locator(grids.focus, layout.kinds, layout.focus)
        self._light = Locator(grids.light, layout.kinds, layout.light)
        self._grey = Locator(grids.grey, layout.kinds, layout.grey)
        # Just outside, the focus grid is still nearer than the coarse one.
        self._focus_ev = grids.focus.ev[0] - 1e-6, grids.focus.ev[-1] + 1e-6
        self._index = {view.name: i for i, view in enumerate(self.views)}

    @classmethod
    def open(cls, path: str | Path, verify: bool = True, split: int | None = None) -> PerceptCache:
        """Open a cache that is complete, or complete for one split.

        Args:
            path: Its folder.
            verify: Read all that is required once and compare checksums (about 1 GB/s).
            split: Require only the views that training on this split reads; its test views may be missing,
                and hold zeros then, or be damaged.

        Raises:
            CacheError: No cache, an unfinished or a damaged one, or no such split; the message says
                what to do.
        """
        store = Store.load(expanded(path, CacheError))
        done, needed = store.done(), store.needed(split)
        absent = needed - done.keys()
        if absent:
            raise CacheError(
                f"the percept cache {path} is unfinished ({len(done)} of {len(store.views)} views, "
                f"{len(absent)} more are needed): run the same `dasha cache build` again to go on"
            )
        cache = cls(store)
        damaged = needed - store.whole(cache.fields, needed) if verify else frozenset[int]()
        if damaged:
            raise CacheError(
                f"the percept cache {path} is damaged: view {cache.views[min(damaged)].name} is not what was "
                "written; run the same `dasha cache build` again to compute it anew"
            )
        return cache

    @property
    def has_colour(self) -> bool:
        """Whether its cells hold what red and blue show."""
        return self.meta.has_colour

    @property
    def draws(self) -> int:
        """Number of independent noise draws of a cell of the light grid; cells of the focus grid have one."""
        return self.meta.grids.light.draws

    @property
    def defocus_dioptres(self) -> Floats:
        """Signed defocus of the focus grid's cells [1/m]: lens focus minus object."""
        half = self.meta.grids.focus.plane
        return np.array([*(-d for d in half[:0:-1]), *half])

    @property
    def px_per_dioptre(self) -> float:
        """Blur radius of a defocus of 1 D [px at 640 px width]."""
        lens = PhysicalLens(focal_length_mm=self.meta.focal_length_mm, f_number=self.meta.f_number)
        return lens.blur_px(1.0, 0.0, WORKING_WIDTH_PX)

    def check_lens(self, lens: LensProfile) -> None:
        """Refuse a lens under which the views would be blurred otherwise, or get another light.

        Raises:
            CacheError: It has another focal length or aperture.
        """
        if (self.meta.focal_length_mm, self.meta.f_number) != (lens.focal_length_mm, lens.f_number):
            raise CacheError(
                f"the cache {self.path} was made with {self.meta.focal_length_mm:g} mm at "
                f"f/{self.meta.f_number:g}, the lens {lens.name} has {lens.focal_length_mm:g} mm at "
                f"f/{lens.f_number:g}: take a lens of that focal length and aperture"
            )

    def index(self, name: str) -> int:
        """The number of a view.

        Raises:
            KeyError: No view has this name.
        """
        if name not in self._index:
            raise KeyError(f"the percept cache {self.path} has no view {name!r} among its {len(self.views)}")
        return self._index[name]

    def lookup(
        self,
        view: Ints | Sequence[int] | int,
        defocus: Floats | Sequence[float] | float,
        ev: Floats | Sequence[float] | float,
        draw: Ints | Sequence[int] | int,
        names: Sequence[str],
    ) -> dict[str, Floats]:
        """Fields at many points.

        Args:
            view: Numbers of views, shape (n,); this and the others may also be a single value.
            defocus: Focus of the lens minus the object [1/m].
            ev: Exposure relative to the view's mid grey [EV].
            draw: Noise draw, any whole number: they repeat after `draws`.
            names: Keys of `fields`.

        Returns:
            float32, shape (n, ...) of the field for each name. Points outside the grids are moved to
            their edge.

        Raises:
            KeyError: There is no such field.
            ValueError: A defocus or an exposure is not a number.
            IndexError: There is no such view.
        """
        views, at, evs, draws = np.broadcast_arrays(*(np.atleast_1d(x) for x in (view, defocus, ev, draw)))
        if not (np.isfinite(at).all() and np.isfinite(evs).all()):
            raise ValueError("a look-up at a defocus or an exposure that is not a number")
        if ((views < 0) | (views >= len(self.views))).any():
            raise IndexError(f"views are numbered 0..{len(self.views) - 1}")
        rows = views.astype(np.intp), draws.astype(np.intp)
        tables = {self.meta.fields[name].table for name in names}
        corners = {table: self._corners(table, rows[0], at, evs, rows[1]) for table in tables}
        found = {
            name: self._gather(name, *corners[self.meta.fields[name].table])
            for name in names
            if name not in _NEAREST
        }
        if of_one_cell := [name for name in names if name in _NEAREST]:
            nearest = self._nearest(*corners[CELL])
            found |= {name: np.asarray(self.fields[name][nearest], np.float32) for name in of_one_cell}
        return found

    def percept(
        self,
        view: int,
        defocus: float,
        ev: float,
        draw: int,
        *,
        capture: CaptureInfo,
        lens: LensState,
        latent: str = JOINT,
    ) -> Percept:
        """The percept that perception would read, for a rig.

        It has at most one detection: the best of the view's label, with a score of at least `MIN_SCORE`.

        Args:
            view: Its number.
            defocus: As for `lookup`.
            ev: As for `lookup`.
            draw: As for `lookup`.
            capture: The exposure that made the frame.
            lens: The lens position that made it.
            latent: The latent field, or several joined by ``+``, as for joint encoders.
        """
        latents = latent.split(SEPARATOR)
        names = (
            "brisque",
            "sharpness",
            "score",
            "box",
            "box_sharpness",
            "mean_grey",
            "histogram",
            *_DETAIL,
            *(COLOUR_FIELDS if self.has_colour else ()),
            *latents,
        )
        found = {name: value[0] for name, value in self.lookup(view, defocus, ev, draw, names).items()}
        counts = np.rint(found["histogram"] * PIXELS).astype(np.uint32)
        fullest = int(counts.argmax())
        x_min, y_min, x_max, y_max = (float(v) for v in found["box"] * np.array(FRAME * 2))
        score = float(found["score"])
        seen = Detection(
            self.views[view].label, score, (x_min, y_min, x_max, y_max), float(found["box_sharpness"])
        )
        return Percept(
            capture=capture,
            lens=lens,
            width=FRAME[0],
            height=FRAME[1],
            encoder=SEPARATOR.join(self.meta.encoders[field] for field in latents),
            latent=np.concatenate([np.asarray(found[field], np.float32) for field in latents]),
            histogram_counts=counts,
            histogram_edges=EDGES,
            histogram_peak=float(EDGES[fullest] + EDGES[fullest + 1]) / 2,
            mean_grey=float(found["mean_grey"]),
            brisque=float(found["brisque"]),
            sharpness=float(found["sharpness"]),
            detail=_detail(found, found["object_detail"], found["box_detail"]),
            colour_detail=self._colour_detail(found, NEARER if defocus >= 0.0 else FARTHER),
            detections=(seen,) if score >= MIN_SCORE else (),
        )

    def _colour_detail(self, found: dict[str, Floats], side: int) -> NDArray[np.uint8]:
        """The maps of red and of blue on one side of the focus; none where the cell holds none."""
        if not self.has_colour or not np.isfinite(found["object_colour"]).all():
            return NO_COLOUR_DETAIL
        colours = zip(found["object_colour"][side], found["box_colour"][side], strict=True)
        return np.stack([_detail(found, elsewhere, box) for elsewhere, box in colours])

    def _corners(
        self, table: str, view: Rows, defocus: Floats, ev: Floats, draw: Rows
    ) -> tuple[Rows, Floats]:
        if table == GREY:
            return self._grey.corners(view, defocus, ev, draw)
        assert table == CELL
        fine = (ev >= self._focus_ev[0]) & (ev <= self._focus_ev[1])
        if fine.all():
            return self._focus.corners(view, defocus, ev, draw)
        rows, weights = self._light.corners(view, defocus, ev, draw)
        if fine.any():
            rows[fine], weights[fine] = self._focus.corners(view[fine], defocus[fine], ev[fine], draw[fine])
        return rows, weights

    def _gather(self, name: str, rows: Rows, weights: Floats) -> Floats:
        field = self.fields[name]
        if name == _BY_LOGARITHM:
            logarithms = np.log(np.maximum(field[rows], _LEAST_SHARPNESS))
            return np.asarray(np.exp((logarithms * weights).sum(axis=1)), np.float32)
        shape = (len(rows), *(1,) * (field.ndim - 1))
        total = np.zeros((len(rows), *field.shape[1:]), np.float32)
        for corner in range(rows.shape[1]):
            weight = weights[:, corner].astype(np.float32)
            # Skip corners without weight: often a whole batch lies on the grid in one direction.
            if weight.any():
                total += field[rows[:, corner]].astype(np.float32) * weight.reshape(shape)
        return total

    def _nearest(self, rows: Rows, weights: Floats) -> Rows:
        """The nearest cell's row; of a detection, the nearest with a box: its neighbour may have none."""
        detected = self._gather("score", rows, weights) >= MIN_SCORE
        has_box = self.fields["score"][rows] > 0.0
        usable = np.where(has_box | ~detected[:, None], weights, -1.0)
        nearest: Rows = rows[np.arange(len(rows)), usable.argmax(axis=1)]
        return nearest


def _detail(found: dict[str, Floats], elsewhere: Floats, in_box: Floats) -> DetailMap:
    """A map of detail of a cell, which knows two boxes: the detection's, and elsewhere the object's own."""
    detail = np.broadcast_to(codes(elsewhere), SHAPE).copy()
    if np.isfinite(in_box).all():
        left, top, right, bottom = (float(v) for v in found["box"])
        rows = slice(math.floor(top * ROWS), math.ceil(bottom * ROWS))
        columns = slice(math.floor(left * COLUMNS), math.ceil(right * COLUMNS))
        detail[rows, columns] = codes(in_box)
    return detail
