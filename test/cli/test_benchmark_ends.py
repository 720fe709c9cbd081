"""Benchmarks that are interrupted keep what they played; what can't be shown is a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from analytic_cache import analytic_cache
from click.testing import Result
from typer.testing import CliRunner

from dasha_ros.benchmark import exposure
from dasha_ros.benchmark.episodes import Goal
from dasha_ros.benchmark.hold import play as hold_play
from dasha_ros.benchmark.object_light import play as light_play
from dasha_ros.benchmark.object_light.play import ObjectLightRow
from dasha_ros.benchmark.trials.replayed import End, Replayed
from dasha_ros.cli import app
from dasha_ros.cli.benchmark.measure import replayed
from dasha_ros.control.twin_rig import TwinRig
from dasha_ros.perception.encoders.joint import has_part
from dasha_ros.policies.learned.policy_file import PolicyFile, shipped_policy
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.twin.world import World


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["benchmark", *map(str, arguments)])


def test_an_interrupted_hold_keeps_its_sequences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, played = hold_play.play, []

    def play(*arguments: object) -> object:
        if len(played) == 2:
            raise KeyboardInterrupt
        played.append(1)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(hold_play, "play", play)
    numbers = tmp_path / "hold.json"
    done = run("hold", "--seconds", 1, "--still", 0, "--player", "nobody", "--json", numbers)
    assert done.exit_code == 130, done.output
    assert "the table holds the 2 sequences played so far" in done.stderr
    assert len(json.loads(numbers.read_text())) == 2
    assert done.stdout.count("nobody") == 2


def test_an_interrupted_object_light_keeps_its_goals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = ObjectLightRow("cat_pagoda", "cat", "even", "oracle", False, 0, 0, 0.7, 0.8, 2, 1, 0.1)

    def goals(*_: object) -> object:
        yield row
        raise KeyboardInterrupt

    monkeypatch.setattr(light_play, "_goals", goals)
    numbers = tmp_path / "light.json"
    done = run("object-light", "--focus-policy", "oracle", "--json", numbers)
    assert done.exit_code == 130, done.output
    assert "the table holds the 1 goals played so far" in done.stderr
    assert json.loads(numbers.read_text()) == light_play.as_json([row])


def test_an_interrupted_exposure_keeps_its_complete_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, played = exposure.play, []

    def play(*arguments: object, **options: object) -> object:
        if played:
            raise KeyboardInterrupt
        played.append(1)
        return real(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(exposure, "play", play)
    analytic_cache(tmp_path / "cache")
    numbers = tmp_path / "exposure.json"
    lights = "--light", 300, "--light", 100
    where = "--cache", tmp_path / "cache", "--splits", 1, "--episodes", 1
    done = run("exposure", *where, *lights, "--policy", "histogram", "--json", numbers)
    assert done.exit_code == 130, done.output
    assert "the tables hold only complete rows" in done.stderr
    assert [row["setting"] for row in json.loads(numbers.read_text())] == ["exposure_300_lx"]
    assert "### exposure_300_lx" in done.stdout


def test_an_interrupted_replay_keeps_its_goals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    end = End(ErrorCode.NONE, "cup", 42.0, 10_000.0, 4)

    def goals(_: object) -> object:
        yield Replayed(Goal("cup", "cup"), 0, end, end, 0.0)
        raise KeyboardInterrupt

    monkeypatch.setattr(replayed, "replayed_goals", goals)
    done = run("replay", "--scene", "cup", "--json", tmp_path / "replay.json")
    assert done.exit_code == 130, done.output
    assert "the summary holds the 1 goals played so far" in done.stderr
    assert "1 of 1 replayed goals" in done.stdout
    assert len(json.loads((tmp_path / "replay.json").read_text())) == 1


OWN = """
class Falls:
    name, rule = "falls", "well_exposed"

    def reset(self, task): ...

    def act(self, percept): raise KeyError("nothing there")


class Exits(Falls):
    def act(self, percept): raise SystemExit("nothing there")
"""


@pytest.mark.parametrize("option", ["--focus-policy", "--exposure-policy"])
@pytest.mark.parametrize(
    ("name", "why"), [("Falls", "KeyError: 'nothing there'"), ("Exits", "SystemExit: nothing there")]
)
def test_a_policy_of_ones_own_that_falls_under_a_light_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, name: str, why: str
) -> None:
    (tmp_path / "falling_policy.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(light_play, "best_score", lambda *_: 0.8)
    done = run("object-light", "--scenes", 1, "--seeds", 1, option, f"falling_policy:{name}")
    assert done.exit_code == 2, done.output
    assert f"falling_policy:{name} ended with {why}: mend it" in done.stderr


def test_policies_under_a_light_have_the_encoders_that_they_read(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    def goals(rig: TwinRig, world: World, *_: object) -> Iterator[ObjectLightRow]:
        rig.begin(world, rig.lens.position(1.0), 10_000.0, 0)
        shown.append(rig.observe().encoder)
        return iter(())

    monkeypatch.setattr(light_play, "_goals", goals)
    done = run("object-light", "--scenes", 1, "--seeds", 1, "--ratio", 8, "--focus-policy", "paper")
    assert done.exit_code == 0, done.output
    read = [
        PolicyFile.load(shipped_policy(name, agent), agent).info.encoder
        for name, agent in (("paper", "focus"), ("plus", "exposure"))
    ]
    assert len(set(read)) == 2, "else one encoder would do"
    assert shown
    assert all(has_part(encoder, wanted) for encoder in shown for wanted in read)


@pytest.mark.parametrize("command", [("hold", "--seconds", 1), ("object-light", "--focus-policy", "oracle")])
def test_a_scene_that_can_not_be_shown_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[object, ...]
) -> None:
    # The models are there, the photographs are not.
    from dasha_ros.assets.catalogue import asset

    (tmp_path / "dasha_ros").mkdir()
    (tmp_path / "dasha_ros/models").symlink_to(asset("models/yolov3-tiny.onnx").parent)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    done = run(*command)
    assert done.exit_code == 2, done.output
    assert "nothing to look at" in done.stderr
    assert "run `" in done.stderr
