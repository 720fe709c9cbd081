"""Parts that play on a percept cache: on a cache in closed form, with methods whose numbers are known."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from analytic_cache import analytic_cache

from dasha_ros.benchmark.paper import ground
from dasha_ros.benchmark.paper.ground import ground_of
from dasha_ros.benchmark.paper.part import Context, PartMissingError
from dasha_ros.benchmark.paper.parts import exposure, hand_over, table_1
from dasha_ros.benchmark.paper.parts.exposure import measure as exposures
from dasha_ros.benchmark.paper.parts.table_1 import facts
from dasha_ros.benchmark.paper.parts.table_1.measure import COMMAND_S, TIMES, TRANSPORT_S
from dasha_ros.benchmark.paper.report import write_report
from dasha_ros.benchmark.paper.run import run_part
from dasha_ros.benchmark.paper.sensor_distance import sensor_distance_mm
from dasha_ros.benchmark.study import Part
from dasha_ros.benchmark.testbed import Testbed
from dasha_ros.learning.dataset.scenes.views import ViewInfo
from dasha_ros.twin.stress.disturbance import Disturbance

FEW = {name: facts.FACTS[name] for name in ("phase_shift_rl", "contrast", "constant")}


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("analytic") / "cache"
    analytic_cache(folder, planes=9)
    return folder


@pytest.fixture
def context(cache: Path, tmp_path: Path) -> Context:
    return Context(tmp_path, quick=True, cache=cache)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_1, "FACTS", FEW)
    monkeypatch.setattr(table_1, "readings_of", lambda *_: {"": 0.05})
    monkeypatch.setattr(hand_over, "PAIRS", {"constant": "histogram", "hill_climb": "auto_once"})
    monkeypatch.setattr(exposures, "NAMES", {"auto_mean_grey": "built in", "histogram": "classical"})
    monkeypatch.setattr(exposure, "NAMES", exposures.NAMES)


def by(rows, **wanted):
    (row,) = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
    return row


def test_times_of_table_1_are_whole_and_a_constant_is_right_in_the_papers_band_alone(
    context: Context, few: None
) -> None:
    rows = table_1.compute(context)["methods"]
    constant = by(rows, policy="constant", setting="planes_paper")
    assert constant["in_focus"]["mean"] == constant["detected"]["mean"] == 1.0
    assert constant["af_steps"]["mean"] == constant["ten"]["af_steps"] == 1.0
    assert constant["transport_s"]["mean"] == pytest.approx(2 * TRANSPORT_S + COMMAND_S)
    assert constant["reading_s"]["mean"] == pytest.approx(2 * 0.05)
    for row in rows:
        if row["af_seconds"] is not None:
            parts = sum(row[key]["mean"] for key in TIMES)
            assert row["af_seconds"]["mean"] == pytest.approx(parts)
    sweep = by(rows, policy="contrast", setting="planes_wide")
    assert sweep["in_focus"]["mean"] == 1.0
    assert sweep["af_seconds"]["mean"] > 5 * constant["af_seconds"]["mean"]
    wide = by(rows, policy="constant", setting="planes_wide")
    assert wide["in_focus"]["mean"] < 0.5


def test_a_second_run_plays_nothing_and_the_page_holds_all_three_parts(
    context: Context, few: None, tmp_path: Path
) -> None:
    parts = [table_1.PART, exposure.PART, hand_over.PART]
    for part in parts:
        assert run_part(part, context, {"command": "dasha"})
    told: list[str] = []
    again = Context(tmp_path, quick=True, cache=context.cache, note=told.append)
    for part in parts:
        before = (tmp_path / f"{part.name}.csv").read_text()
        run_part(part, again, {"command": "dasha"})
        assert (tmp_path / f"{part.name}.csv").read_text() == before
    counts = [sentence.split()[:3] for sentence in told]
    assert len(counts) == 3
    assert all(came == total for came, _, total in counts)
    text = write_report(tmp_path, parts).read_text()
    assert text.count("<svg") == 3
    assert "phase shift [11], paper" in text
    assert "366.00" in text
    lines = list(csv.DictReader((tmp_path / "table_1.csv").open()))
    assert {line["policy"] for line in lines} == FEW.keys()


def test_the_hand_over_is_compared_with_the_lens_alone(context: Context, few: None) -> None:
    data = hand_over.compute(context)
    alone = by(data["pairs"], policy="constant", setting="joint_no_handover")
    assert alone["actuations"]["mean"] <= 1.0
    assert alone["travel_mm"]["mean"] < 12.4
    with_it, without = hand_over.saved(data, "hill_climb", "detected")
    assert with_it > without, "pictures that are black or white show nothing to climb on"


def test_exposures_overlap_with_themselves_and_every_view_can_be_exposed_well(
    context: Context, few: None
) -> None:
    data = exposure.compute(context)
    built_in, classical = (by(data["methods"], policy=name) for name in ("auto_mean_grey", "histogram"))
    assert built_in["overlap"] is None
    assert 0.0 < classical["overlap"]["mean"] <= 1.0
    assert classical["ev_apart"]["mean"] < 1.5
    assert sum(classical["shares"]) == pytest.approx(1.0, abs=0.01)
    assert data["possible"]["well_exposed"] == data["views"]
    first, last = classical["curve"][0][0], classical["curve"][-1][0]
    assert first / last == pytest.approx(300.0 / 13.0, rel=0.6), "less light, more time"


def test_sensor_distances_are_those_of_the_paper() -> None:
    assert sensor_distance_mm(24.0) == pytest.approx(36.4)
    assert sensor_distance_mm(70.0) == pytest.approx(24.0, abs=0.001)


def test_nothing_is_judged_on_disturbed_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = [ViewInfo(f"v{i}", "plane", "cat", (f"{i}.png",), fold=i % 3) for i in range(6)]
    copies = [
        replace(view, name=f"{view.name}/disturbed-0", disturbance=Disturbance(jpeg=50)) for view in plain
    ]
    bed = Testbed(SimpleNamespace(views=[*plain, *copies]), (Part([0, 3, 6, 9], 0, (None,)),))  # type: ignore[arg-type]
    monkeypatch.setattr(ground, "cache_testbed", lambda *arguments, **options: bed)
    monkeypatch.setattr(ground, "cache_of", lambda context: (tmp_path, False))
    found = ground_of(Context(tmp_path), ["constant"], "focus")
    assert found.numbers == (0, 3)
    assert found.said.startswith("Percepts of 2 views of 2 photographs")


def test_a_cache_that_is_none_leaves_the_part_out(tmp_path: Path) -> None:
    with pytest.raises(PartMissingError, match="dasha cache build"):
        ground_of(Context(tmp_path, cache=tmp_path / "none"), ["constant"], "focus")
