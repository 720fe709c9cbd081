"""The table of focus policies, on a made-up scene and a perception that knows it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml
from cards import CardPerception
from studio import Studio

import dasha_ros.benchmark
import dasha_ros.benchmark.focus as module
from dasha_ros.benchmark.episodes import Episode, Goal, draw_start, episodes, goals_of
from dasha_ros.benchmark.focus import benchmark_focus, table
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.classical.focus import CoarseToFineFocus
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import FocusDecision
from dasha_ros.policies.registry import UnknownPolicyError
from dasha_ros.twin.scene import SceneError

KEYS = {
    "policy", "scenes", "episodes", "within_2px", "within_1px", "detected",
    "moves_first", "moves_settled", "frames", "hunting", "seconds",
}  # fmt: skip


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    studio = Studio(tmp_path_factory.mktemp("scene"))
    return str(studio.card_before(studio.texture("card.png", 1), studio.texture("wall.png", 2)))


def run(scene, policies, seeds=4, **changes):
    return benchmark_focus(policies, [scene], seeds, perception=CardPerception(), size=(320, 170), **changes)


def episode(**changes):
    defaults = {
        "policy": "a", "goal": Goal("s", "cat"), "seed": 0, "code": ErrorCode.NONE, "detected": True,
        "blur_px": 0.5, "moves_first": 3, "moves_settled": 8, "frames": 10, "reversals": 1, "seconds": 2.0,
    }  # fmt: skip
    return Episode(**(defaults | changes))


def test_policies_against_each_other(scene):
    rows = run(scene, ["coarse_to_fine", "contrast", "oracle"])
    overall = {row["policy"]: row for row in rows if row["goal"] == "all"}
    by_goal = {(row["policy"], row["goal"].rsplit(": ", 1)[-1]): row for row in rows}
    assert rows[0].keys() >= KEYS
    assert json.loads(json.dumps(rows)) == rows
    assert [overall[p]["episodes"] for p in ("coarse_to_fine", "contrast", "oracle")] == [8, 8, 8]
    assert overall["oracle"]["success"] == 1.0
    assert overall["oracle"]["moves_settled"] == 1.0
    assert overall["coarse_to_fine"]["success"] == 1.0
    assert overall["coarse_to_fine"]["moves_settled"] > overall["coarse_to_fine"]["moves_first"] > 1.0
    assert by_goal[("contrast", "wall")]["within_2px"] == 1.0
    assert by_goal[("contrast", "card")]["within_2px"] == 0.0


def test_the_same_benchmark_twice_is_the_same(scene):
    assert run(scene, ["coarse_to_fine"], 2) == run(scene, ["coarse_to_fine"], 2)


def test_an_episode_does_not_depend_on_what_was_played_before(scene):
    def of_coarse_to_fine(policies, seeds):
        found = episodes(policies, goals_of([scene])[:1], seeds, CardPerception(), size=(320, 170))
        return [each for each in found if each.policy == "coarse_to_fine"]

    alone = of_coarse_to_fine(["coarse_to_fine"], [0, 1])
    assert of_coarse_to_fine(["contrast", "coarse_to_fine"], [0, 1]) == alone
    assert of_coarse_to_fine(["coarse_to_fine"], [1]) == alone[1:]


def test_no_benchmark_places_a_rig_without_beginning_an_episode():
    """`TwinRig.place` alone leaves the lens where the last episode's play and noise left it."""
    folder = Path(dasha_ros.benchmark.__file__).parent
    assert not [path.name for path in folder.rglob("*.py") if "rig.place(" in path.read_text()]


def test_layers_that_stand_close_together_stand_in_order_in_every_episode(tmp_path):
    studio = Studio(tmp_path)
    path = studio.card_before(studio.texture("card.png", 1), studio.texture("wall.png", 2))
    document = yaml.safe_load(path.read_text())
    for layer, distance_m in zip(document["layers"], (1.0, 1.3), strict=True):
        layer["distance_m"] = distance_m
    path.write_text(yaml.safe_dump(document))
    for seed in range(60):
        near, far = draw_start(
            Goal(str(path), "card"), seed, lens_model(), exposure_table()
        ).world.distances_m
        assert near <= far


def test_an_interrupt_keeps_what_is_done(scene, monkeypatch):
    real = module.episodes

    def impatient(*args, **kwargs):
        for count, done in enumerate(real(*args, **kwargs)):
            if count == 3:
                raise KeyboardInterrupt
            yield done

    monkeypatch.setattr(module, "episodes", impatient)
    assert run(scene, ["coarse_to_fine"])[0]["episodes"] == 3


def test_an_interrupt_before_the_first_episode_gives_no_rows(scene, monkeypatch):
    def at_once(*args, **kwargs):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(module, "episodes", at_once)
    assert run(scene, ["coarse_to_fine"]) == []


def test_unknown_names_are_refused(scene):
    with pytest.raises(UnknownPolicyError, match="magic"):
        run(scene, ["magic"])
    with pytest.raises(SceneError, match="nowhere"):
        benchmark_focus(["contrast"], ["nowhere"], 1, perception=CardPerception())


class Asks(CoarseToFineFocus):
    """Asks for a lens position that is none."""

    position = float("nan")

    def act(self, percept):
        return FocusDecision(self.position)


class AsksTooMuch(Asks):
    position = 1e9


class Fails(Asks):
    """Raises an error whose message alone says nothing."""

    def act(self, percept):
        raise KeyError("boo")


class Exits(Asks):
    """Ends like a script."""

    def act(self, percept):
        sys.exit(3)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Asks", "asked for nan V"),
        ("AsksTooMuch", "1000000000.0 V"),
        ("Fails", "KeyError: 'boo'"),
        ("Exits", "SystemExit: 3"),
    ],
)
def test_a_policy_that_does_the_impossible_is_told_beside_the_table(scene, name, told):
    wrong = []
    rows = run(scene, [f"{__name__}:{name}", "coarse_to_fine"], 1, on_fault=wrong.append)
    assert {row["policy"]: row["success"] for row in rows if row["goal"] == "all"}["coarse_to_fine"] == 1.0
    (sentence,) = wrong
    assert sentence.startswith(f"{__name__}:{name} is at fault in 2 of 2 episodes; the first: ")
    assert told in sentence


def test_goals_are_the_labels_of_the_scenes(scene):
    assert [goal.label for goal in goals_of([scene])] == ["card", "wall"]


def test_rows_by_hand():
    rows = table(
        [
            episode(blur_px=0.5),
            episode(blur_px=1.5, reversals=2, moves_settled=12),
            episode(blur_px=9.0, moves_first=None, detected=False, code=ErrorCode.OBJECT_NOT_FOUND),
            episode(blur_px=1.0, code=ErrorCode.QUALITY_NOT_REACHED, goal=Goal("t", "dog"), moves_first=5),
        ]
    )
    assert [(row["goal"], row["scenes"], row["episodes"]) for row in rows] == [
        ("all", 2, 4),
        ("s: cat", 1, 3),
        ("t: dog", 1, 1),
    ]
    total = rows[0]
    assert (total["success"], total["within_2px"], total["within_1px"]) == (0.5, 0.75, 0.5)
    assert (total["detected"], total["hunting"]) == (0.75, 0.25)
    assert (total["moves_first"], total["moves_settled"]) == (pytest.approx(11 / 3, abs=1e-3), 9.0)
    assert total["median_blur_px"] == 1.25


def test_never_in_focus_has_no_first_move():
    assert table([episode(moves_first=None)])[0]["moves_first"] is None
