"""``dasha train``: runs that start, continue and are refused, by output and exit code."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import pytest
import yaml
from synthetic_cache import synthetic_cache
from tiny_runs import TINY
from typer.testing import CliRunner

from dasha_ros.cli import app
from dasha_ros.learning.training import train as train_module
from dasha_ros.learning.training.joint import run as train_joint
from dasha_ros.learning.training.joint.score import score_joint
from dasha_ros.system.paths import config_dir

pytest.importorskip("stable_baselines3", reason="scripts/setup --torch installs stable-baselines3")

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def arguments(tmp_path_factory):
    """A small cache, and a preset that hardly learns from it."""
    folder = tmp_path_factory.mktemp("train")
    cache = synthetic_cache(folder / "cache", planes=8)
    document = yaml.safe_load((config_dir() / "presets" / "paper.yaml").read_text())
    for agent in ("exposure", "focus"):
        document[agent]["ppo"] = TINY
    preset = folder / "tiny.yaml"
    preset.write_text(yaml.safe_dump(document))
    return ["--cache", str(cache.path), "--preset", str(preset), "--steps", "64"]


def dasha(*words):
    return CliRunner().invoke(app, ["train", *map(str, words)])


def test_both_agents_learn_and_a_finished_run_prints_the_same_again(arguments, tmp_path, monkeypatch):
    def few(*given, episodes):
        return score_joint(*given, episodes=12)

    monkeypatch.setattr(train_joint, "score_joint", few)
    run = tmp_path / "run"
    result = dasha("joint", *arguments, "--out", run)
    assert result.exit_code == 0, result.output
    policies = [str(run / agent / "best.npz") for agent in ("exposure", "focus")]
    assert result.stdout.split() == policies
    assert "in a row: episodes 12" in result.stderr
    kept = (run / "result.json").read_text()
    again = dasha("joint", "--resume", run)
    assert (again.exit_code, again.stdout.split()) == (0, policies)
    assert (run / "result.json").read_text() == kept

    part = dasha("focus", "--resume", run / "focus")
    assert part.exit_code == 1
    assert "dasha train joint --resume" in " ".join(part.stderr.split())
    other = dasha("exposure", "--resume", run / "focus")
    assert other.exit_code == 2
    assert f"go on with `dasha train joint --resume {run}`" in other.stderr

    (run / "focus" / "best.npz").unlink()
    lost = dasha("joint", "--resume", run)
    assert lost.exit_code == 1
    assert f"the best policy of the run in {run / 'focus'} so far can't be read" in lost.stderr


@pytest.fixture(scope="module")
def finished(arguments, tmp_path_factory):
    """A run of A^H that came to its end; its cache was named by a relative path."""
    folder = tmp_path_factory.mktemp("run") / "my [final] run"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(Path(arguments[1]).parent)
        result = dasha("exposure", *arguments, "--cache", "cache", "--out", folder)
    assert result.exit_code == 0, result.output
    assert str(folder) in result.stderr
    assert result.stdout == f"{folder}/best.npz\n"
    return folder


@pytest.fixture
def run(finished, tmp_path):
    """A copy that a test may spoil."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


@pytest.mark.parametrize("spoil", [Path.unlink, lambda policy: policy.write_text("no policy")])
def test_a_finished_run_without_its_policy_fails(run, spoil):
    spoil(run / "best.npz")
    result = dasha("exposure", "--resume", run)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "the best policy of the run in" in result.stderr
    assert "begin the run anew in another folder" in result.stderr


def test_a_cache_that_moved_is_named_beside_resume(arguments, run, tmp_path, monkeypatch):
    moved = shutil.copytree(arguments[1], tmp_path / "moved")
    document = json.loads((run / "run.json").read_text())
    assert document["cache"] == arguments[1]
    (run / "run.json").write_text(json.dumps(document | {"cache": "/nowhere/cache"}))
    lost = dasha("exposure", "--resume", run)
    assert lost.exit_code == 1
    assert f"{run}/run.json names the percept cache /nowhere/cache, which is not there" in lost.stderr
    assert dasha("exposure", "--resume", run, "--cache", moved).stdout == f"{run}/best.npz\n"

    def stop(*_, **__):
        os.kill(os.getpid(), signal.SIGTERM)
        return False

    monkeypatch.setattr(train_module, "train", stop)
    stopped = dasha("exposure", "--resume", run, "--cache", moved)
    assert stopped.exit_code == 143
    assert f"continue with `dasha train exposure --resume {run} --cache {moved}`" in stopped.stderr

    meta = json.loads((moved / "meta.json").read_text())
    (moved / "meta.json").write_text(json.dumps(meta | {"key": "other"}))
    monkeypatch.undo()
    other = dasha("exposure", "--resume", run, "--cache", moved)
    assert other.exit_code == 1
    assert "was begun with another percept cache" in other.stderr


def test_a_cache_that_lacks_the_encoder_is_refused_before_a_folder_is_made(arguments, tmp_path):
    preset = tmp_path / "mine.yaml"
    preset.write_text("extends: paper\nencoder: resnet152\n")
    result = dasha("focus", *arguments, "--preset", preset, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "holds latents of efficientnet_lite0, efficientnet_lite0_grid, not of resnet152" in result.stderr
    assert not (tmp_path / "run").exists()


def test_nothing_is_learned_from_a_damaged_cache(arguments, tmp_path):
    spoilt = shutil.copytree(arguments[1], tmp_path / "cache")
    content = bytearray((spoilt / "latent.bin").read_bytes())
    content[len(content) // 2] ^= 0x40
    (spoilt / "latent.bin").write_bytes(content)
    result = dasha("exposure", *arguments, "--cache", spoilt, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "is damaged: view" in result.stderr


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("joint", "--resume", "/nowhere"), 1, "holds no joint run"),
        (("focus", "--resume", "/nowhere"), 1, "holds no run"),
        (("joint", "--preset", "best"), 2, "no preset 'best'"),
        (("focus", "--preset", "best", "--cache", "/nowhere"), 2, "no preset 'best'"),
        (("exposure", "--cache", "/nowhere"), 1, "no percept cache"),
        (("joint", "--split", "9"), 1, "no split 9"),
        (("focus", "--resume", "/nowhere", "--preset", "plus"), 2, "--preset does not apply to --resume"),
        (("joint", "--resume", "/nowhere", "--steps", "9"), 2, "--steps does not apply to --resume"),
    ],
)
def test_impossible_runs_are_refused_with_a_sentence(words, code, says, arguments, tmp_path):
    given = [*arguments, "--out", str(tmp_path / "run")] if "--resume" not in words else []
    result = dasha(words[0], *given, *words[1:])
    assert result.exit_code == code
    assert says in " ".join(result.stderr.split())
