"""Who learned from a split's photographs plays on its test views alone; and what A^H reads is there, too."""

from __future__ import annotations

import pytest
from synthetic_cache import synthetic_cache

from dasha_ros.benchmark import evaluation, methods
from dasha_ros.benchmark.methods import (
    BELIEVERS,
    Knowledge,
    MethodError,
    exposure_methods,
    focus_methods,
    perception_for,
)
from dasha_ros.benchmark.study import Part, focus_study
from dasha_ros.learning.evaluation.arenas import CacheArena, joined
from dasha_ros.learning.evaluation.settings import focus_setting
from dasha_ros.policies.rivals.q_network import QNetwork
from dasha_ros.policies.rivals.ten_dqn import default_network

PLUS = focus_methods("plus")[0].split
OTHER = 1 - PLUS
JOINT, WIDE = focus_setting("joint"), focus_setting("planes_wide")


@pytest.fixture(scope="module")
def arena(tmp_path_factory):
    return CacheArena(synthetic_cache(tmp_path_factory.mktemp("cache") / "c", planes=2))


@pytest.mark.parametrize("name", sorted(BELIEVERS))
def test_who_believes_what_plus_was_fitted_on_plays_where_plus_plays(arena, name):
    parts = [Part([0], PLUS), Part([1], OTHER), Part([1], None)]
    rows = focus_study(arena, ["plus", name], [WIDE], parts, per_view=1)
    assert [row["split"] for row in rows if row["policy"] == name] == [PLUS, None]
    with pytest.raises(MethodError, match="nothing to play"):
        focus_study(arena, [name], [WIDE], [Part([1], OTHER)], per_view=1)


def test_the_network_that_ships_plays_on_its_split_and_another_ones_network_on_its_own():
    shipped = QNetwork.load(default_network())
    assert focus_methods("ten_dqn")[0].split == shipped.made["split"]
    own = QNetwork(shipped.layers, {"split": 2, "seed": 7})
    (method,) = focus_methods("ten_dqn", knowledge=Knowledge(ten=own))
    assert (method.split, method.policy_seed) == (2, 7)
    assert [method.may_play(split) for split in (0, 2, None)] == [False, True, True]


def test_an_exposure_policy_that_has_seen_test_views_does_not_hand_over_there(arena):
    seen = [Part([0], PLUS), Part([1], OTHER)]
    with pytest.raises(MethodError, match=rf"A\^H plus learned from split {PLUS}'s .* of split {OTHER}: "):
        focus_study(arena, ["constant"], [JOINT], seen, per_view=1, exposure_policy="plus")
    alone = focus_study(arena, ["constant"], [WIDE], seen, per_view=1, exposure_policy="plus")
    assert len(alone) == 2, "without a hand-over nobody asks who hands over"
    rows = focus_study(arena, ["constant"], [JOINT], seen[:1], per_view=1, exposure_policy="plus")
    assert [row["split"] for row in rows] == [PLUS]


def test_a_policy_that_reads_no_latent_plays_after_one_that_does(arena, monkeypatch):
    made = []
    monkeypatch.setattr(
        evaluation, "exposure_methods", lambda name: made.append(name) or exposure_methods(name)
    )
    (method,) = focus_methods("coarse_to_fine")
    played = evaluation.play(arena, [method], JOINT, [0, 1], per_view=2, seed=0, exposure="plus")
    assert len(played) == 4
    assert arena.rig.observe().encoder == exposure_methods("plus")[0].encoder
    assert made == ["plus"], "its file is read once"


def test_the_twins_perception_reads_what_each_of_both_agents_reads(monkeypatch):
    monkeypatch.setattr(methods, "Perception", lambda **asked: asked)
    wanted = exposure_methods("plus")[0].encoder
    assert perception_for(["coarse_to_fine"], "focus") == {}
    assert perception_for(["coarse_to_fine"], "focus", exposure="plus")["encoder"] == wanted
    both = perception_for(["plus", "paper"], "focus", exposure="paper", detector="d")
    read = [focus_methods("plus")[0].encoder, focus_methods("paper")[0].encoder]
    assert both == {"detector": "d", "encoder": joined([*read, *read]), "colour_detail": False}
