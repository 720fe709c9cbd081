"""What a percept cache is, as ``meta.json`` says it, and where the cells of each view lie in its files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dasha_ros.files.documents import parse_json
from dasha_ros.learning.dataset.cache.axes import Grid, Grids, kind_of
from dasha_ros.learning.dataset.scenes.views import View

FORMAT = 1
"""Format of the folder; caches of another format can't be read."""
CELL, GREY = "cell", "grey"
"""Tables: cells of the focus and light grids, and cells of the grey grid."""


@dataclass(frozen=True)
class Field:
    """One array of a table: a row for each cell."""

    table: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Meta:
    """What a cache is."""

    key: str
    """Digest of everything that changes a percept."""
    scene_set: str
    pictures: dict[str, str]
    """SHA-256 of every photograph by name."""
    skipped: dict[str, str]
    """Photographs that gave no view, and why."""
    encoders: dict[str, str]
    """Encoder by latent field."""
    detector: str
    focal_length_mm: float
    f_number: float
    grids: Grids
    fields: dict[str, Field]
    version: str
    """Version of the package that began the cache."""

    @property
    def has_colour(self) -> bool:
        """Whether cells hold what red and blue show; see `colour_camera.COLOUR_FIELDS`."""
        return "object_colour" in self.fields

    def as_json(self) -> str:
        """For ``meta.json``."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Meta:
        """The inverse of `as_json`.

        Raises:
            ValueError: Not such a text, or of another format.
        """
        values = parse_json(text)
        if not isinstance(values, dict) or values.pop("format", None) != FORMAT:
            raise ValueError(f"not a cache of format {FORMAT}")
        try:
            grids = {name: _grid(grid) for name, grid in values.pop("grids").items()}
            fields = {
                name: Field(f["table"], tuple(f["shape"]), f["dtype"])
                for name, f in values.pop("fields").items()
            }
            return cls(grids=Grids(**grids), fields=fields, **values)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"a part is missing: {error}") from error


@dataclass(frozen=True)
class Layout:
    """Where the cells of each view lie."""

    kinds: NDArray[np.int8]
    focus: NDArray[np.int64]
    """First row of each view's focus grid in the table of cells."""
    light: NDArray[np.int64]
    grey: NDArray[np.int64]
    """First row in the table of greys."""
    rows: dict[str, int]
    """Length of each table."""

    @classmethod
    def of(cls, grids: Grids, views: Sequence[View]) -> Layout:
        """Lay out one view after the other; in each the focus grid, then the light grid."""
        kinds = np.array([kind_of(view.info) for view in views], np.int8)
        focus = np.array([grids.focus.cells(kind) for kind in kinds], np.int64)
        light = np.array([grids.light.cells(kind) for kind in kinds], np.int64)
        grey = np.array([grids.grey.cells(kind) for kind in kinds], np.int64)
        begin = np.concatenate([[0], np.cumsum(focus + light)])
        grey_begin = np.concatenate([[0], np.cumsum(grey)])
        rows = {CELL: int(begin[-1]), GREY: int(grey_begin[-1])}
        return cls(kinds, begin[:-1], begin[:-1] + focus, grey_begin[:-1], rows)

    def part(self, table: str, view: int) -> slice:
        """The rows of one view in a table."""
        first = self.focus if table == CELL else self.grey
        end = first[view + 1] if view + 1 < len(first) else self.rows[table]
        return slice(int(first[view]), int(end))


def _grid(values: dict[str, Any]) -> Grid:
    axes = {axis: tuple(values[axis]) for axis in ("plane", "near", "ev")}
    return Grid(**axes, draws=values["draws"])
