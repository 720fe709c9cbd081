"""From a cache in closed form to the files that ship: chosen on validation, resumed, refused."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from stack_maker import twin_stack
from synthetic_cache import synthetic_cache
from tiny_runs import TINY, weights
from typer.testing import CliRunner, Result

from dasha_ros.benchmark.shipping import real_pictures, ship
from dasha_ros.benchmark.shipping.choice import SETTINGS, candidates
from dasha_ros.benchmark.shipping.real_pictures import Requirement
from dasha_ros.benchmark.shipping.series import Series
from dasha_ros.cli import app
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.training.presets import load_preset
from dasha_ros.learning.training.run_folder import TrainingError
from dasha_ros.learning.training.train import split_of
from dasha_ros.policies.learned.policy_file import PolicyFile

pytest.importorskip("stable_baselines3", reason="scripts/setup --torch installs stable-baselines3")
from dasha_ros.learning.training import callbacks

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("few_episodes")]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> PerceptCache:
    return synthetic_cache(tmp_path_factory.mktemp("cache") / "synthetic", planes=10, composites=5)


def series(cache: PerceptCache, folder: Path, **changes: object) -> Series:
    preset = load_preset("plus", focus__ppo=TINY, **changes)
    made = Series(folder, preset, cache, seeds=(0, 1), splits=(0,), steps=128)
    made.begin()
    return made


def trained(made: Series, *, stop_after: int | None = None) -> bool:
    asked = count()
    return made.train(
        lambda name: lambda news: None,
        stopped=lambda: stop_after is not None and next(asked) > stop_after,
    )


def test_runs_that_were_stopped_end_where_unbroken_ones_end(
    cache: PerceptCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "CHECKPOINT_S", 0.0)
    whole, broken = series(cache, tmp_path / "whole"), series(cache, tmp_path / "broken")
    assert trained(whole)
    stops = 0
    while not trained(broken, stop_after=22):
        stops += 1
        assert stops < 10, "it does not get on"
    assert stops > 1
    for (one, _), (other, _) in zip(whole.runs(), broken.runs(), strict=True):
        for name, value in weights(one).items():
            np.testing.assert_array_equal(weights(other)[name], value)


def test_a_folder_of_other_runs_is_refused(cache: PerceptCache, tmp_path: Path) -> None:
    series(cache, tmp_path)
    series(cache, tmp_path)
    with pytest.raises(TrainingError, match=r"split0_seed0 holds a run with another preset.*--out"):
        series(cache, tmp_path, focus__hunting_price=3.0)


def dasha(cache: PerceptCache, folder: Path, *words: object) -> Result:
    preset = folder.parent / "tiny.yaml"
    preset.write_text(f"extends: plus\ndescription: Tiny.\nfocus:\n  ppo: {json.dumps(TINY)}\n")
    given = ["--preset", preset, "--cache", cache.path, "--out", folder, "--steps", 64, "--episodes", 1]
    given += [word for name in SETTINGS for word in ("--setting", name)]
    return CliRunner().invoke(app, ["train", "ship", *map(str, (*given, *words))])


def test_one_command_leaves_the_run_that_validation_chose_with_its_card_and_results(
    cache: PerceptCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ship, "VALIDATION_EPISODES", 2)
    folder, checkout = tmp_path / "out", tmp_path / "checkout"
    (checkout / "config" / "policies").mkdir(parents=True)
    result = dasha(cache, folder, "--seed", 4, "--seed", 5, "--name", "kept", "--repository", checkout)
    assert result.exit_code == 0, result.output

    rows = {
        part: json.loads((folder / f"kept_focus-{part}.json").read_text()) for part in ("validation", "test")
    }
    best = candidates(rows["validation"], "kept", load_preset("plus").focus.merit_hunting)[0]
    shipped = PolicyFile.load(folder / "kept_focus.npz", "focus")
    assert shipped.info.made["seed"] == best.seed
    run = folder / f"split0_seed{best.seed}" / "best.npz"
    assert (folder / "kept_focus.npz").read_bytes() == run.read_bytes()
    assert str(tmp_path) not in json.dumps(shipped.info.made), "folders of one machine have no business there"

    split = split_of(cache, 0)
    for part, views in (("validation", split.validation), ("test", split.test)):
        planes = [v for v in views if cache.views[v].kind == "plane"]
        mine = [row for row in rows[part] if row["setting"] == "planes_wide"]
        assert {row["policy"] for row in mine} == {"kept", "planner", "greedy"}
        assert {row["scenes"] for row in mine} == {len(planes)}
    card = (folder / "kept_focus.md").read_text()
    assert (
        "dasha train ship --preset tiny --cache synthetic --seed 4 --seed 5 --split 0 --steps 64 --name kept"
        in card
    )
    assert f"seed {best.seed} {best.merit:.3f}" in card

    kept = checkout / "config" / "policies" / "kept_focus"
    assert kept.with_suffix(".npz").read_bytes() == run.read_bytes()
    assert "(../../docs/results/curves/kept_focus.svg)" in kept.with_suffix(".md").read_text()
    assert (checkout / "docs" / "results" / "curves" / "kept_focus.svg").is_file()
    assert json.loads((checkout / "docs" / "results" / "kept_focus-test.json").read_text()) == rows["test"]

    def train_again(*given: object, **named: object) -> None:
        raise AssertionError("a finished run was trained again")

    monkeypatch.setattr("dasha_ros.benchmark.shipping.series.train", train_again)
    before = (folder / "test.rows").read_bytes()
    again = dasha(cache, folder, "--seed", 4, "--seed", 5, "--name", "kept")
    assert again.exit_code == 0, again.output
    assert (folder / "test.rows").read_bytes() == before, "episodes were played again"
    assert json.loads((folder / "kept_focus-test.json").read_text()) == rows["test"]


def test_a_run_that_is_not_good_enough_on_stacks_does_not_ship(
    cache: PerceptCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ship, "VALIDATION_EPISODES", 1)
    twin_stack(tmp_path / "stacks" / "near", 4)
    (tmp_path / "stacks" / "empty").mkdir()
    words = ("--seed", 4, "--name", "judged", "--stacks", tmp_path / "stacks")
    folder = tmp_path / "out"

    monkeypatch.setattr(real_pictures, "REQUIRED", (Requirement("srgb", "all", 1.1, 0.0),))
    refused = dasha(cache, folder, *words)
    assert refused.exit_code != 0
    said = " ".join(refused.stderr.split())
    assert "skipped: empty: it holds no stack.yaml" in said
    assert "none of these runs ships" in said
    assert "seed 4: srgb, all objects" in said
    assert not list(folder.glob("judged_focus*"))

    monkeypatch.setattr(real_pictures, "REQUIRED", (Requirement("srgb", "all", 0.0, 1.0),))
    result = dasha(cache, folder, *words)
    assert result.exit_code == 0, result.output
    card = (folder / "judged_focus.md").read_text()
    assert "on real focal stacks, within 2 px, and found farther away: seed 4: srgb, all objects" in card
    assert "Only the runs of seed 4 may ship by that." in card


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--stacks", "/nowhere"), "no such folder"),
        (("--setting", "moon"), "no setting 'moon'"),
        (("--split", 9), "no split 9"),
        (("--name", "../plus"), "letters, digits and underscores"),
        (("--repository", "/"), "no checkout"),
        (("--setting", "planes_disturbed"), "planes_disturbed: no test view is a plane under a disturbance"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_trained(
    words: tuple[object, ...], says: str, cache: PerceptCache, tmp_path: Path
) -> None:
    result = dasha(cache, tmp_path / "out", *words)
    assert result.exit_code != 0
    assert says in " ".join(result.stderr.split())
    assert not list(tmp_path.glob("out/*"))
