"""``dasha evaluate`` and ``dasha benchmark exposure``."""

from __future__ import annotations

import json
import shutil

import cv2
import numpy as np
import pytest
from analytic_cache import analytic_cache
from stack_maker import twin_stack
from typer.testing import CliRunner

from dasha_ros.assets.catalogue import asset
from dasha_ros.cli import app


def run(*arguments: object):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache") / "c"
    analytic_cache(folder)
    return folder


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    return twin_stack(tmp_path_factory.mktemp("stacks") / "motorcycle", frames=5, blur_px_per_frame=3.0)


def test_focal_stacks(stack, tmp_path):
    arguments = (
        "evaluate", "--stacks", stack, "--tone", "srgb", "--policy", "constant:4", "--policy", "oracle",
        "--policy", "paper", "--rows", tmp_path / "rows.jsonl", "--json", tmp_path / "sums.json",
        "--markdown", tmp_path / "table.md", "--page", tmp_path / "page",
    )  # fmt: skip
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    assert "### stacks_srgb, all objects (1 objects of 1 stacks)" in done.stdout
    assert (tmp_path / "table.md").read_text() in done.stdout
    assert "not played: paper: the policy 'paper' was trained with the lens" in done.output
    assert "episodes: 10 of 10" in done.output
    sums = json.loads((tmp_path / "sums.json").read_text())
    shares = {row["policy"]: row["within_2px"] for row in sums if row["objects"] == "all"}
    assert shares == {"constant:4": 0.0, "oracle": 1.0}
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert len(rows) == 10
    assert "constant:4: 5 of 5 episodes failed" in (tmp_path / "page" / "index.html").read_text()
    again = run(*arguments)
    assert "10 of 10 episodes came from" in again.output
    assert json.loads((tmp_path / "sums.json").read_text()) == sums


def test_photographs(tmp_path):
    folder = tmp_path / "photographs"
    folder.mkdir()
    shutil.copy(asset("photos/motorcycle_left.png"), folder / "bike.png")
    assert cv2.imwrite(str(folder / "blank.png"), np.full((340, 640), 128, np.uint8))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    arguments = (
        "evaluate", "--scenes", folder, "--policy", "constant:24", "--policy", "oracle",
        "--setting", "planes_wide", "--episodes", 2, "--rows", tmp_path / "rows.jsonl",
        "--page", tmp_path / "page", "--json", tmp_path / "sums.json",
    )  # fmt: skip
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    assert "skipped blank.png: the detector finds nothing in the sharp picture" in done.output
    assert "skipped broken.jpg: is " in done.output
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert {row["policy"] for row in rows} == {"constant:24", "oracle"}
    for row in rows:
        assert row["photographs"] == [str(folder / "bike.png")]
        assert row["trajectory"][0] == row["start"]
        assert len(row["trajectory"]) == row["moves_settled"] + 1
    sums = {row["policy"]: row for row in json.loads((tmp_path / "sums.json").read_text())}
    assert sums["oracle"]["within_1px"] == 1.0
    assert sums["constant:24"]["false_found"] == 0.0
    page = (tmp_path / "page" / "index.html").read_text()
    assert "oracle: 0 of " in page
    assert "of blur" in page
    again = run(*arguments)
    assert f"{len(rows)} of {len(rows)} episodes came from" in again.output
    assert json.loads((tmp_path / "sums.json").read_text()) == list(sums.values())


def test_a_folder_with_nothing_to_detect_is_one_sentence(tmp_path):
    assert cv2.imwrite(str(tmp_path / "blank.png"), np.full((340, 640), 128, np.uint8))
    done = run("evaluate", "--scenes", tmp_path, "--policy", "oracle")
    assert done.exit_code == 2
    assert "none of the 1 pictures" in done.output
    assert "blank.png: the detector finds nothing in the sharp picture" in done.output
    assert "Traceback" not in done.output


def test_a_wrong_name_costs_no_photograph(tmp_path, monkeypatch):
    def fail(*_args, **_options):
        raise AssertionError("photographs were read")

    monkeypatch.setattr("dasha_ros.benchmark.testbed.folder_testbed", fail)
    for wrong in (("--policy", "magic"), ("--setting", "joint", "--exposure-policy", "magic")):
        done = run("evaluate", "--scenes", tmp_path, *wrong)
        assert done.exit_code == 2
        assert "'magic'" in done.output


def test_skipped_stacks_are_listed_with_their_reasons(stack, tmp_path):
    (stack.parent / "empty").mkdir(exist_ok=True)
    done = run("evaluate", "--stacks", stack.parent, "--policy", "constant:2")
    assert done.exit_code == 0, done.output
    assert "skipped: empty: it holds no stack.yaml" in done.output


def test_tables_json_and_plots(cache, tmp_path):
    done = run(
        "evaluate", "--cache", cache, "--policy", "libcamera", "--policy", "oracle",
        "--setting", "planes_wide", "--setting", "two_depths", "--episodes", 1,
        "--json", tmp_path / "rows.json", "--markdown", tmp_path / "table.md", "--plots", tmp_path / "plots",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "### two_depths" in done.stdout
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert {(row["policy"], row["split"]) for row in rows} == {
        (policy, split) for policy in ("libcamera", "oracle") for split in (0, 1, 2)
    }
    assert (tmp_path / "table.md").read_text() in done.stdout
    assert len(list((tmp_path / "plots").glob("*.png"))) == 4


def test_exposure(cache, tmp_path):
    # Named, because the learned policies, the default, need latents that this cache does not contain.
    names = ("histogram", "auto_once", "auto_mean_grey", "constant")
    options = [word for name in names for word in ("--policy", name)]
    done = run(
        "benchmark", "exposure", "--cache", cache, "--episodes", 2, "--json", tmp_path / "e.json", *options
    )
    assert done.exit_code == 0, done.output
    assert {row["policy"] for row in json.loads((tmp_path / "e.json").read_text())} == set(names)


def test_exposure_in_other_light(cache, tmp_path):
    lights = ("--light", "0.5:100000", "--light", "0.5")
    done = run(
        "benchmark", "exposure", "--cache", cache, "--splits", 1, "--episodes", 2, "--json",
        tmp_path / "e.json", "--policy", "histogram", *lights,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    any_light, dark = json.loads((tmp_path / "e.json").read_text())
    assert (any_light["setting"], dark["setting"]) == ("exposure_0.5_to_100000_lx", "exposure_0.5_lx")
    assert dark["possible"] < any_light["possible"]
    assert any_light["reached_possible"] == 1.0


@pytest.mark.parametrize("light", ["bright", "0", "300:13", "13:", "1e9", "nan"])
def test_a_light_that_is_none_is_refused(light, cache):
    done = run("benchmark", "exposure", "--cache", cache, "--light", light)
    assert done.exit_code != 0
    assert f"--light {light}: give lx from 0.01 to 200000" in done.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "give one of --stacks"),
        (("--cache", "CACHE", "--stacks", "STACK"), "give one of --stacks"),
        (("--stacks", "/nowhere"), "no such folder"),
        (("--stacks", "STACK", "--policy", "magic"), "no focus policy 'magic'"),
        (("--stacks", "STACK", "--tone", "sepia"), "--tone 'sepia': there are linear and srgb"),
        (("--stacks", "STACK", "--rendered"), "--rendered does not apply to --stacks, only to --cache"),
        (("--stacks", "STACK", "--setting", "joint"), "--setting does not apply to --stacks"),
        (("--stacks", "STACK", "--episodes", "4"), "--episodes does not apply to --stacks"),
        (("--stacks", "STACK", "--rows", "/nowhere/rows.jsonl"), "no folder /nowhere"),
        (("--cache", "CACHE", "--step-ms", "inf"), "Invalid value for '--step-ms'"),
        (("--cache", "CACHE", "--tone", "srgb"), "--tone does not apply to --cache, only to --stacks"),
        (("--cache", "CACHE", "--setting", "planes_wide", "--exposure-policy", "histogram"),
         "--exposure-policy does not apply to the settings planes_wide"),
        (("--scenes", "/nowhere", "--setting", "planes_wide", "--composites", "2"),
         "--composites does not apply to the settings planes_wide"),
        (("--scenes", "/nowhere", "--splits", "2"), "--splits does not apply to --scenes, only to --cache"),
        (("--scenes", "/nowhere"), "/nowhere is no folder"),
        (("--cache", "/nowhere"), "no percept cache"),
        (("--cache", "CACHE", "--policy", "magic"), "no focus policy 'magic'"),
        (("--cache", "CACHE", "--policy", "missing.npz"), "missing.npz"),
        (("--cache", "CACHE", "--setting", "sideways"), "no setting 'sideways'"),
        (("--cache", "CACHE", "--splits", "9"), "9 splits"),
        (("--cache", "CACHE", "--json", "/nowhere/rows.json"), "no folder /nowhere"),
        (("--cache", "CACHE", "--plots", "/etc/passwd"), "/etc/passwd can't be made: a file of this name is"),
        (("--cache", "CACHE", "--plots", "x", "--json", "x"), "x is asked for twice"),
        (("--cache", "CACHE", "--policy", "own:Class"), "a class of your own does not play here"),
        (("--cache", "CACHE", "--policy", "a/../x.npz", "--policy", "x.npz"), "x.npz is given twice"),
    ],
)  # fmt: skip
def test_refusals_are_sentences(cache, stack, arguments, sentence):
    places = {"CACHE": cache, "STACK": stack}
    done = run("evaluate", *(places.get(a, a) for a in arguments))
    assert done.exit_code == 2
    assert sentence in done.output
    assert "Traceback" not in done.output


PLAY = ("--policy", "constant", "--setting", "planes_wide", "--episodes", 1, "--splits", 1)


def test_what_is_left_out_is_told(cache, monkeypatch):
    monkeypatch.setattr(
        "dasha_ros.benchmark.testbed.not_shown", lambda *_, **__: ["a.png is not shown to plus"]
    )
    done = run("evaluate", "--cache", cache, *PLAY)
    assert done.exit_code == 0, done.output
    assert "a.png is not shown to plus" in done.stderr


def test_a_setting_without_views_is_told(cache):
    done = run("evaluate", "--cache", cache, *PLAY, "--setting", "planes_disturbed")
    assert done.exit_code == 0, done.output
    assert "not played: planes_disturbed: no test view is a plane under a disturbance" in done.stderr
    assert "### planes_wide" in done.stdout


def test_a_cache_is_found_by_its_name(cache, monkeypatch):
    monkeypatch.setattr("dasha_ros.learning.dataset.cache.places.cache_root", lambda: cache.parent)
    done = run("evaluate", "--cache", cache.name, *PLAY)
    assert done.exit_code == 0, done.output


def test_rows_that_are_damaged_are_refused_with_their_file(cache, tmp_path):
    rows = tmp_path / "rows.jsonl"
    assert run("evaluate", "--cache", cache, *PLAY, "--rows", rows).exit_code == 0
    for key, value in (("frames", "x"), ("code", "FOUND"), ("box", [1.0]), ("trajectory", [])):
        row = json.loads(rows.read_text().splitlines()[0]) | {key: value}
        damaged = tmp_path / "damaged.jsonl"
        damaged.write_text(json.dumps(row) + "\n")
        done = run("evaluate", "--cache", cache, *PLAY, "--rows", damaged)
        assert done.exit_code == 2
        says = f"{damaged}: the row with the id {row['id']} does not describe an episode ({key}"
        assert says in done.output


def test_figures_that_cannot_be_written_after_all_are_a_sentence(cache, tmp_path):
    plots = tmp_path / "plots"
    (plots / "planes_wide_frames.png").mkdir(parents=True)
    done = run("evaluate", "--cache", cache, *PLAY, "--plots", plots)
    assert "Traceback" not in done.output
    assert f"{plots} can't be written: Is a directory" in done.output


def test_an_empty_folder_is_an_error_sentence(tmp_path):
    done = run("evaluate", "--scenes", tmp_path)
    assert done.exit_code == 2
    assert "holds no pictures" in done.output
