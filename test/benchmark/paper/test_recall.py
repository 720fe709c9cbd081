"""Recall with DASHA off and on: on a small twin with a detector that judges the picture by its sharpness."""

from __future__ import annotations

import pytest

from dasha_ros.benchmark.episodes import Goal
from dasha_ros.benchmark.paper.parts import recall
from dasha_ros.benchmark.paper.parts.recall import measure
from dasha_ros.benchmark.paper.parts.recall.measure import Agents, Grid, recall_rows, summed_up
from dasha_ros.benchmark.trials.journal import Journal

GRID = Grid((37.0, 300.0), (0.0, 2.0), (Goal("cat", "cat"),))
AGENTS = Agents("histogram", "coarse_to_fine")
SIZE = (640, 340)


def row(detector="net", lux=37.0, defocus=0.0, photograph="a.jpg", off=False, on=True):
    return {
        "detector": detector, "illuminance_lx": lux, "defocus_d": defocus, "photograph": photograph,
        "off": off, "on": on,
    }  # fmt: skip


@pytest.fixture(scope="module")
def perception(fetched_photographs):
    return AGENTS.perception("yolov3_tiny")


@pytest.fixture(scope="module")
def fetched_photographs(fetched):
    fetched("photos/chelsea.png")
    fetched("models/yolov3-tiny.onnx")


def test_a_defocused_object_is_found_only_with_dasha_on_and_a_killed_run_goes_on(perception, tmp_path):
    file = tmp_path / "rows.jsonl"
    with Journal(file) as journal:
        played = recall_rows("yolov3_tiny", perception, AGENTS, GRID, journal, size=SIZE)
        first = [next(played), next(played)]  # and then it is killed, in the middle of writing
    file.write_text(file.read_text() + '{"id": "cut o')
    told = []
    with Journal(file) as journal:

        def tell(done, total, what):
            told.append((done, total, what))

        again = recall_rows("yolov3_tiny", perception, AGENTS, GRID, journal, size=SIZE, progress=tell)
        rows = list(again)
        assert journal.resumed == 2
    assert rows[:2] == first
    assert told == [(n, 4, "yolov3_tiny: cat: cat") for n in (1, 2, 3, 4)]
    sharp, blurred = (
        next(r for r in rows if (r["illuminance_lx"], r["defocus_d"]) == (300.0, d)) for d in (0.0, 2.0)
    )
    assert sharp["defocus_px"] < 0.5 < 8.0 < blurred["defocus_px"]
    assert (sharp["off"], blurred["off"], blurred["on"]) == (True, False, True)
    assert blurred["code"] == "NONE"
    assert blurred["end_px"] < 2.0


def test_other_policies_or_noise_are_other_episodes(perception):
    names = set()
    for agents, seed in ((AGENTS, 0), (AGENTS, 1), (Agents("auto_mean_grey", "coarse_to_fine"), 0)):
        grid = Grid((300.0,), (0.0,), GRID.goals, seed)
        with Journal() as journal:
            names |= {row["id"] for row in recall_rows("x", perception, agents, grid, journal, size=SIZE)}
    assert len(names) == 3


def test_objects_without_a_label_of_the_detector_are_left_out(perception):
    grid = Grid((300.0,), (0.0,), (Goal("cat", "unicorn"),))
    with Journal() as journal:
        assert list(recall_rows("x", perception, AGENTS, grid, journal)) == []


def test_sums_are_shares_by_detector_light_and_defocus():
    rows = [
        row(off=False), row(photograph="b.jpg", off=True), row(lux=300.0, off=True),
        row(lux=300.0, photograph="b.jpg", off=True, on=False), row("other", off=False, on=False),
    ]  # fmt: skip
    found = {(r.detector, r.illuminance_lx, r.defocus_d): r for r in summed_up(rows)}
    assert found["net", None, None].episodes == 4
    assert (found["net", None, None].off.mean, found["net", None, None].on.mean) == (0.75, 0.75)
    assert (found["net", 37.0, None].off.mean, found["net", 37.0, 0.0].on.mean) == (0.5, 1.0)
    assert found["net", 37.0, None].off.low < 0.5 < found["net", 37.0, None].off.high
    assert found["other", None, None].on.low is None  # one photograph tells nothing of others
    assert ("other", 300.0, None) not in found


def test_what_was_missed_off_counts_by_what_is_found_on():
    rows = [row(off=True, on=False), row(on=True), row(on=False), row(photograph="b.jpg", on=True)]
    rows += [row("other", off=True)]
    shares = measure.rescued(rows)
    assert list(shares) == ["net"]
    assert shares["net"].mean == pytest.approx(2 / 3)

    def verdict(**means):
        data = {"rescued": {name: {"mean": mean, "low": 0.1, "high": 1.0} for name, mean in means.items()}}
        (claim,) = recall.PART.claims(data)
        return claim.holds

    assert verdict(a=1.0, b=0.95, c=0.9) is True
    assert verdict(a=1.0, b=0.95, c=0.8) is False
    assert verdict(a=1.0) is False, "three detectors are claimed"


def test_the_start_is_on_the_side_that_the_lens_reaches(perception):
    from dasha_ros.optics.profiles import lens_model

    lens = lens_model()
    near, far = lens.dioptres(lens.position_max), lens.dioptres(lens.position_min)
    near, far = max(near, far), min(near, far)
    at = measure.start_position(lens, far + 0.1, 0.5)
    assert lens.dioptres(at) == pytest.approx(far + 0.6, abs=0.02)
    at = measure.start_position(lens, near - 0.1, 0.5)
    assert lens.dioptres(at) == pytest.approx(near - 0.6, abs=0.02)
