"""``dasha evaluate`` and ``dasha benchmark exposure``."""

from __future__ import annotations

import json

import pytest
from analytic_cache import analytic_cache
from typer.testing import CliRunner

from dasha_ros.cli import app


def run(*arguments: object):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache") / "c"
    analytic_cache(folder)
    return folder


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


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "either --scenes"),
        (("--scenes", "/nowhere"), "/nowhere is no folder"),
        (("--cache", "/nowhere"), "no percept cache"),
        (("--cache", "CACHE", "--policy", "magic"), "no focus policy 'magic'"),
        (("--cache", "CACHE", "--policy", "missing.npz"), "missing.npz"),
        (("--cache", "CACHE", "--setting", "sideways"), "no setting 'sideways'"),
        (("--cache", "CACHE", "--splits", "9"), "9 splits"),
        (("--cache", "CACHE", "--json", "/nowhere/rows.json"), "no folder /nowhere"),
    ],
)
def test_refusals_are_sentences(cache, arguments, sentence):
    done = run("evaluate", *(cache if a == "CACHE" else a for a in arguments))
    assert done.exit_code == 2
    assert sentence in done.output
    assert "Traceback" not in done.output


def test_an_empty_folder_is_an_error_sentence(tmp_path):
    done = run("evaluate", "--scenes", tmp_path)
    assert done.exit_code == 2
    assert "holds no pictures" in done.output
