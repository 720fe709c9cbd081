"""Looking between the cells of a grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_cache import synthetic_cache

from dasha_ros.learning.dataset.cache.axes import FAR, NEAR, PLANE, Grid, Grids, Locator, kind_of
from dasha_ros.learning.dataset.cache.cells import CellMap
from dasha_ros.learning.dataset.cache.percept_cache import MIN_SCORE
from dasha_ros.learning.dataset.scenes.views import ViewInfo

GRID = Grid(plane=(0.0, 0.5, 2.0), near=(-4.0, -1.0, 0.0, 0.5, 4.0), ev=(-1.0, 0.0, 2.0), draws=2)
KINDS = np.array([PLANE, NEAR, FAR], np.int8)
FIRST = np.array([0, GRID.cells(PLANE), GRID.cells(PLANE) + GRID.cells(NEAR)], np.int64)

defocus = st.floats(-12, 12, allow_nan=False)
ev = st.floats(-5, 5, allow_nan=False)


def table(function) -> np.ndarray:
    """Cells of all three views that hold a function of (defocus, ev, draw)."""
    return np.array(
        [
            function(d, e, draw)
            for kind in KINDS
            for d in GRID.defocus(int(kind))
            for e in GRID.ev
            for draw in range(GRID.draws)
        ]
    )


def looked_up(values: np.ndarray, view: int, at: float, exposure: float, draw: int = 0) -> float:
    locator = Locator(GRID, KINDS, FIRST)
    rows, weights = locator.corners(*(np.array([x]) for x in (view, at, exposure, draw)))
    return float((values[rows] * weights).sum())


@given(st.sampled_from([0, 1, 2]), defocus, ev, st.integers(0, 9))
def test_weights_are_shares_of_cells_of_the_view(view: int, at: float, exposure: float, draw: int) -> None:
    rows, weights = Locator(GRID, KINDS, FIRST).corners(*(np.array([x]) for x in (view, at, exposure, draw)))
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1.0)
    end = FIRST[view] + GRID.cells(int(KINDS[view]))
    assert ((rows >= FIRST[view]) & (rows < end)).all()
    assert (rows % GRID.draws == draw % GRID.draws).all()


@given(st.sampled_from([1, 2]), st.floats(-4, 4), st.floats(-1, 2))
def test_what_is_linear_comes_out_exactly(view: int, at: float, exposure: float) -> None:
    values = table(lambda d, e, draw: 3.0 * d - 2.0 * e + 1.0)
    assert looked_up(values, view, at, exposure) == pytest.approx(3.0 * at - 2.0 * exposure + 1.0, abs=1e-9)


@given(defocus, ev)
def test_the_blur_of_a_plane_has_no_sign(at: float, exposure: float) -> None:
    values = table(lambda d, e, draw: d**2 + e)
    assert looked_up(values, 0, at, exposure) == looked_up(values, 0, -at, exposure)


def test_points_outside_count_as_on_the_edge() -> None:
    values = table(lambda d, e, draw: 10.0 * d + e)
    assert looked_up(values, 1, 99.0, -99.0) == pytest.approx(40.0 - 1.0)
    assert looked_up(values, 1, -99.0, 99.0) == pytest.approx(-40.0 + 2.0)


def test_the_farther_object_has_the_mirrored_axis() -> None:
    assert GRID.defocus(FAR) == (-4.0, -0.5, 0.0, 1.0, 4.0)


def test_draws_repeat() -> None:
    values = table(lambda d, e, draw: draw)
    assert [looked_up(values, 0, 0.0, 0.0, draw) for draw in range(4)] == [0, 1, 0, 1]


@pytest.mark.parametrize(
    "change", [{"plane": (0.1, 1.0)}, {"ev": (0.0,)}, {"near": (0.0, 0.0)}, {"draws": 0}]
)
def test_impossible_grids_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="axis"):
        Grid(**{**{"plane": (0.0, 1.0), "near": (-1.0, 1.0), "ev": (0.0, 1.0)}, **change})  # type: ignore[arg-type]


def test_kinds_of_views() -> None:
    def info(kind: str, separation: float) -> ViewInfo:
        return ViewInfo("v", kind, "cat", ("a",), separation)  # type: ignore[arg-type]

    assert kind_of(info("plane", 0.0)) == PLANE
    assert kind_of(info("composite", 1.0)) == NEAR
    assert kind_of(info("composite", -1.0)) == FAR


def test_the_default_grids_cover_every_start_and_every_object() -> None:
    """The lens reaches -4.96..9.30 D, objects stand at 0.3..10 m."""
    focus = Grids().focus
    for kind in (PLANE, NEAR, FAR):
        axis = focus.defocus(kind)
        assert axis[-1] >= 9.3 - 0.1
        assert kind == PLANE or axis[0] <= -4.96 - 1 / 0.3


def test_a_detection_between_a_cell_with_a_box_and_one_without_has_the_box(tmp_path):
    cache = synthetic_cache(tmp_path / "c", planes=1)
    sharp, blurred = cache.meta.grids.focus.plane[4:6]
    gone = CellMap(cache).focus_cells(0).rows[5].ravel()
    for name, nothing in (("score", 0.0), ("box", 0.0), ("box_detail", np.nan)):
        cache.fields[name] = np.array(cache.fields[name])
        cache.fields[name][gone] = nothing
    names = ("score", "box", "box_detail")
    near, far = (sharp + share * (blurred - sharp) for share in (0.7, 0.99))
    found = cache.lookup(0, [sharp, near, far, blurred], 0.0, 0, names)
    assert [score >= MIN_SCORE for score in found["score"]] == [True, True, False, False]
    np.testing.assert_array_equal(found["box"][1], found["box"][0])
    np.testing.assert_array_equal(found["box_detail"][1], found["box_detail"][0])
    assert not found["box"][2:].any(), "nothing is detected there"
