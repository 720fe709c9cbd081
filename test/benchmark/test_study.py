"""Whole comparisons on a cache in closed form."""

from __future__ import annotations

import json

import numpy as np
import pytest
from analytic_cache import analytic_cache

from dasha_ros.benchmark.evaluation import SPREAD_KEYS, focus_rows, play
from dasha_ros.benchmark.exposure import exposure_rows
from dasha_ros.benchmark.methods import (
    FocusMethod,
    Knowledge,
    MethodError,
    exposure_methods,
    focus_methods,
)
from dasha_ros.benchmark.plots import plot
from dasha_ros.benchmark.rows import summary
from dasha_ros.benchmark.study import Part, exposure_study, focus_study, tables
from dasha_ros.benchmark.testbed import cache_testbed
from dasha_ros.learning.dataset.scenes.views import ViewInfo
from dasha_ros.learning.evaluation.arenas import CacheArena
from dasha_ros.learning.evaluation.evaluate import ExposureTrial, FocusTrial
from dasha_ros.learning.evaluation.settings import Start, focus_setting
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.registry import UnknownPolicyError
from dasha_ros.policies.rivals.constant import ConstantFocus
from dasha_ros.policies.rivals.q_network import QNetwork

KEYS = {
    "policy", "scenes", "episodes", "within_2px", "within_1px", "detected", "moves_first", "moves_settled",
    "frames", "hunting", "seconds", "policy_seed", "split", "sampled",
}  # fmt: skip
WIDE, PAPER, TWO = (focus_setting(name) for name in ("planes_wide", "planes_paper", "two_depths"))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache") / "c"
    analytic_cache(folder)
    return folder


@pytest.fixture(scope="module")
def testbed(path):
    return cache_testbed(path, "focus", [])


@pytest.fixture(scope="module")
def rows(testbed):
    names = ["constant", "profile_fit", "contrast", "phase_shift_rl", "oracle"]
    return focus_study(testbed.arena, names, [PAPER, WIDE, TWO], testbed.parts, per_view=4)


def by_policy(rows, setting):
    return {row["policy"]: row for row in summary([r for r in rows if r["setting"] == setting], SPREAD_KEYS)}


def network(split: int, seed: int) -> QNetwork:
    zeros = np.zeros((9, 5), np.float32)
    return QNetwork(((zeros, np.eye(5, dtype=np.float32)[2]),), {"split": split, "seed": seed})


def test_every_row_has_the_promised_keys_and_is_json(rows):
    assert all(row.keys() >= KEYS for row in rows)
    assert json.loads(json.dumps(rows)) == rows
    assert len(rows) == 5 * 3 * 3, "policies x settings x splits"


def test_the_tests_of_the_splits_share_no_photograph(testbed):
    numbers = [set(part.numbers) for part in testbed.parts]
    assert len(numbers) == 3
    assert sum(map(len, numbers)) == len(set.union(*numbers))


def test_the_constant_position_is_right_in_the_papers_band_alone(rows):
    assert by_policy(rows, "planes_paper")["constant"]["within_2px"] == 1.0
    assert by_policy(rows, "planes_wide")["constant"]["within_2px"] < 0.4


def test_contrast_is_right_on_planes_and_wrong_on_two_depths(rows):
    assert by_policy(rows, "planes_wide")["contrast"]["within_2px"] == 1.0
    assert by_policy(rows, "two_depths")["contrast"]["within_2px"] == 0.0
    assert by_policy(rows, "planes_wide")["profile_fit"]["frames"] < 6.0


def test_who_sees_the_truth_is_flagged(rows):
    flagged = {row["policy"] for row in rows if row["reference_based"]}
    assert flagged == {"oracle", "phase_shift_rl"}
    assert by_policy(rows, "two_depths")["oracle"]["within_2px"] == 1.0
    text = tables(rows)
    assert "oracle\\*" in text
    assert "sees the twin's truth" in text


def test_fixed_episodes_for_each_view(rows):
    assert {row["episodes"] for row in rows if row["setting"] == "planes_wide"} == {8}
    assert {row["scenes"] for row in rows if row["setting"] == "planes_wide"} == {2}


def test_the_same_study_twice_is_the_same_but_for_the_policies_own_time(testbed):
    def numbers():
        rows = focus_study(testbed.arena, ["libcamera"], [WIDE], testbed.parts, per_view=2, seed=5)
        timed = {"decide_ms", "wall_seconds", "af_seconds"}
        return [{key: value for key, value in row.items() if key not in timed} for row in rows]

    assert numbers() == numbers()


def test_what_was_learned_on_a_split_plays_only_there(testbed):
    names = ["ten_dqn"]
    parts = [
        Part(part.numbers, part.split, [Knowledge(ten=network(part.split, seed)) for seed in (0, 1, 2)])
        for part in testbed.parts
    ]
    rows = focus_study(testbed.arena, names, [WIDE], parts, per_view=1)
    assert sorted((row["split"], row["policy_seed"]) for row in rows) == [
        (split, seed) for split in range(3) for seed in range(3)
    ]
    assert {row["moves_settled"] for row in rows} == {0.0}, "these networks stop at once"


def test_networks_of_a_folder_go_to_their_splits(path, tmp_path):
    for split, seed in ((0, 0), (0, 1), (2, 0)):
        (folder := tmp_path / f"{split}-{seed}").mkdir()
        network(split, seed).save(folder / "ten_dqn.npz")
    parts = {p.split: p for p in cache_testbed(path, "focus", [], rivals=tmp_path).parts}
    assert [k.ten.made["seed"] for k in parts[0].knowledge] == [0, 1]
    assert [k.ten for k in parts[1].knowledge] == [None]
    assert all(k.profile is not None for p in parts.values() for k in p.knowledge)


def test_rows_are_kept_one_by_one(testbed):
    kept = []
    focus_study(testbed.arena, ["constant"], [PAPER], testbed.parts, per_view=1, keep=kept.append)
    assert len(kept) == 3


def test_nothing_to_play_is_said(testbed):
    with pytest.raises(MethodError, match="nothing to play"):
        focus_study(testbed.arena, ["constant"], [TWO], [Part([0, 1])], per_view=1)


@pytest.mark.parametrize(
    ("name", "message"),
    [("magic", "no focus policy 'magic'; there are: .*oracle"), ("constant:x", "not a number"),
     ("libcamera:3", "only constant"), ("constant:nan", "'nan' is not a finite number"),
     ("constant:-inf", "'-inf' is not a finite number"), ("constant:1e999", "'1e999' is not a finite")],
)  # fmt: skip
def test_names_that_stand_for_nobody(name, message):
    with pytest.raises(MethodError, match=message):
        focus_methods(name)


def test_names_of_exposure_policies():
    assert [c.policy for c in exposure_methods("constant:1000")] == ["constant:1000"]
    with pytest.raises(UnknownPolicyError, match="magic"):
        exposure_methods("magic")
    with pytest.raises(MethodError, match="only constant"):
        exposure_methods("auto_once:3")
    for wrong in ("nan", "inf", "1e30", "-5", "0", "23"):
        with pytest.raises(MethodError, match=f"'constant:{wrong}': .*(finite|exposures go from 24 to 1e)"):
            exposure_methods(f"constant:{wrong}")
    assert not any(exposure_methods(name)[0].encoder for name in ("constant", "histogram"))


@pytest.mark.parametrize("position", ["99999", "23.9", "-1"])
def test_a_position_that_the_lens_does_not_take_is_refused(testbed, position):
    with pytest.raises(
        MethodError, match=rf"'constant:{position}': this lens takes positions from 24 to 70 V"
    ):
        focus_study(testbed.arena, [f"constant:{position}"], [PAPER], testbed.parts[:1], per_view=1)


def test_a_named_voltage_plays(testbed):
    row = focus_study(testbed.arena, ["constant:43.21"], [PAPER], testbed.parts[:1], per_view=1)[0]
    assert (row["policy"], row["moves_settled"]) == ("constant:43.21", 1.0)


def test_exposure_study(path):
    testbed = cache_testbed(path, "exposure", [])
    names = ["histogram", "auto_once", "auto_mean_grey", "constant"]
    rows = exposure_study(testbed.arena, names, testbed.parts, per_view=20)
    lines = {r["policy"]: r for r in summary(rows, ("success", "steps", "max_steps"))}
    assert lines["histogram"]["success"] == lines["auto_once"]["success"] == 1.0
    assert lines["constant"]["success"] < 0.8
    assert lines["auto_once"]["max_steps"] <= 8
    assert lines["histogram"]["steps"] < lines["auto_once"]["steps"]
    assert "well exposed" in tables(rows)


def test_where_no_exposure_is_possible_none_is_counted():
    (who,) = exposure_methods("histogram")
    view = ViewInfo("v", "plane", "cat", ("a",))

    def played(*, possible, steps, well_exposed=False):
        code = ErrorCode.NONE if well_exposed else ErrorCode.EXPOSURE_NOT_REACHED
        return who, ExposureTrial(view, code, 100.0, possible, well_exposed, False, steps, 1.0, 0.1)

    hopeless = [played(possible=False, steps=9), played(possible=False, steps=7)]
    mixed = [*hopeless, played(possible=True, steps=3, well_exposed=True)]
    rows = [*exposure_rows(hopeless, split=0, arena="c"), *exposure_rows(mixed, split=1, arena="c")]
    keys = ("possible", "reached_possible", "steps", "max_steps")
    assert [[row[key] for key in keys] for row in rows] == [[0.0, None, None, None], [0.3333, 1.0, 3.0, 3]]
    (line,) = summary(rows, keys)
    assert (line["reached_possible"], line["steps"], line["max_steps"]) == (1.0, 3.0, 3)
    assert "-" in tables(rows)


def trial(**changes):
    values = {
        "view": ViewInfo("v", "plane", "cat", ("a",)), "code": ErrorCode.NONE, "detected": True,
        "blur_px": 0.5, "moves_first": 2, "moves_settled": 4, "frames": 5, "reversals": 1, "actuations": 4,
        "seconds": 1.0, "decide_ms": 2.0, "positions": (40.0,),
        "blurs_px": (0.5,), "start": Start(0, 40.0, 1.0, 0.0, 100.0, 10_000.0, 0),
    }  # fmt: skip
    return FocusTrial(**(values | changes))


def test_rows_by_hand():
    a = FocusMethod("a", lambda scene: ConstantFocus())
    done = [
        (a, trial()),
        (a, trial(blur_px=1.5, reversals=2, moves_first=0, moves_settled=6, frames=7, seconds=2.0)),
        (a, trial(blur_px=9.0, moves_first=None, detected=False, code=ErrorCode.OBJECT_NOT_FOUND)),
        (a, trial(blur_px=1.0, code=ErrorCode.QUALITY_NOT_REACHED, actuations=0)),
    ]
    (row,) = focus_rows(done, "s", split=1, arena="cache", step_ms=98.0)
    assert (row["success"], row["within_2px"], row["within_1px"], row["detected"]) == (0.5, 0.75, 0.5, 0.75)
    assert (row["moves_first"], row["moves_settled"], row["frames"]) == (1.333, 4.5, 5.5)
    assert (row["hunting"], row["actuations"], row["seconds"]) == (0.25, 3.0, 1.25)
    assert row["wall_seconds"] == pytest.approx(1.25 + 5.5 * 0.1)
    assert (row["af_steps"], row["af_seconds"]) == (4.667, pytest.approx((4.0 + 1.7) / 3, abs=1e-3))
    assert row["reached"][:4] == [0.25, 0.25, 0.75, 0.75]


def test_summary_by_hand():
    rows = [
        {"setting": "s", "policy": "a", "reference_based": False, "sampled": False, "arena": "cache",
         "episodes": 10, "frames": frames, "max_steps": frames, "success": None}
        for frames in (3.0, 5.0)
    ]  # fmt: skip
    (line,) = summary(rows, ("frames", "max_steps", "success"))
    assert (line["runs"], line["episodes"]) == (2, 20)
    assert (line["frames"], line["frames_sd"]) == (4.0, 1.4142)
    assert (line["max_steps"], line["success"], line["success_sd"]) == (5.0, None, None)


def test_plots_are_pictures(rows, tmp_path):
    written = plot(rows, tmp_path / "new" / "folder")
    assert len(written) == 6
    assert all(path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 5_000 for path in written)


def test_contenders_of_one_policy_are_told_apart():
    known = [Knowledge(ten=network(0, seed)) for seed in (0, 1)]
    methods = [c for k in known for c in focus_methods("ten_dqn", knowledge=k)]
    rows = focus_rows([(c, trial(seconds=float(i))) for i, c in enumerate(methods)], "s", split=0, arena="c")
    assert [row["policy_seed"] for row in rows] == [0, 1]


def test_play_tells_how_far_it_is(path):
    arena = CacheArena(cache_testbed(path, "focus", []).arena._cache)
    told = []
    play(
        arena, focus_methods("constant"), PAPER, [0, 1], per_view=2, seed=0,
        progress=lambda done, total, what: told.append((done, total, what)),
    )  # fmt: skip
    assert told == [(i, 4, "planes_paper: constant") for i in (1, 2, 3, 4)]
