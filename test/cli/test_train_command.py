"""``dasha train``: runs that start, continue and are refused, by output and exit code."""

from __future__ import annotations

import pytest
import yaml
from synthetic_cache import synthetic_cache
from tiny_runs import TINY
from typer.testing import CliRunner

from dasha_ros.cli import app
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
    assert "use `dasha train focus`" in other.stderr


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
