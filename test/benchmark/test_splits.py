"""Who learned from a split's photographs plays on its test views alone; and what A^H reads is there, too."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace

import pytest
from synthetic_cache import synthetic_cache

from dasha_ros.assets.catalogue import catalogue
from dasha_ros.benchmark import evaluation, methods, testbed
from dasha_ros.benchmark.methods import (
    BELIEVERS,
    Knowledge,
    MethodError,
    exposure_methods,
    focus_methods,
    perception_for,
)
from dasha_ros.benchmark.study import Part, exposure_study, focus_study
from dasha_ros.learning.dataset.scenes.planes import stem
from dasha_ros.learning.dataset.scenes.views import View
from dasha_ros.learning.evaluation.arenas import CacheArena
from dasha_ros.learning.evaluation.settings import focus_setting
from dasha_ros.learning.training.run_folder import RunFolder, RunInfo
from dasha_ros.perception.encoders.joint import joined
from dasha_ros.policies.learned.policy_file import PolicyFile, shipped_policy
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


@pytest.fixture
def trained(tmp_path):
    """A policy in the folder of its run, which learned from ``photos/a.png`` and ``photos/b-c.png``."""
    file = PolicyFile.load(shipped_policy("plus", "focus"), "focus")
    scenes = {
        "train": ["plane/a/0/cat"],
        "validation": ["composite/1/3/b-c-b/dog"],
        "test": ["plane/d/1/cat"],
    }
    made = {**file.info.made, "scenes": scenes, "cache_key": "theirs"}
    del made["validation"]
    run = RunFolder(tmp_path / "run")
    pictures = {f"photos/{name}.png": f"digest of {name}" for name in ("a", "b", "b-c", "d")}
    run.create(RunInfo.from_dict({**made, "cache": "c", "pictures": pictures}))
    replace(file, info=replace(file.info, made=made)).save(run.policy)
    return run.policy


KNOWN = frozenset({"digest of a", "digest of b", "digest of b-c"})


def test_a_policy_knows_the_photographs_of_its_run_by_their_content(trained):
    (method,) = focus_methods(str(trained))
    assert method.learned_from == KNOWN
    assert [method.may_play(None, [f"digest of {name}", "other"]) for name in "ad"] == [False, True]
    elsewhere = trained.parent.parent / "best.npz"
    trained.rename(elsewhere)
    assert focus_methods(str(elsewhere))[0].learned_from is None
    shutil.copy(shipped_policy("plus", "focus"), trained)
    assert focus_methods(str(trained))[0].learned_from is None, "this is not the policy of that run"


def test_a_policy_that_left_its_run_still_knows_its_photographs(trained, tmp_path):
    file, run = PolicyFile.load(trained, "focus"), RunFolder(trained.parent).info()
    moved = tmp_path / "mine.npz"
    pictures = [[stem(name), digest] for name, digest in run.pictures.items()]
    replace(file, info=replace(file.info, made={**file.info.made, "pictures": pictures})).save(moved)
    assert focus_methods(str(moved))[0].learned_from == KNOWN


def test_what_ships_and_who_believes_it_knows_photographs_of_the_catalogue():
    digests = {file.name: file.sha256 for package in catalogue() for file in package.files}
    for name in ("plus", *BELIEVERS):
        known = focus_methods(name)[0].learned_from
        assert digests["photos/bus.jpg"] in known
        assert digests["photos/horses.jpg"] not in known, "it is one of its test's"
    assert exposure_methods("plus")[0].learned_from == focus_methods("plus")[0].learned_from
    assert focus_methods("coarse_to_fine")[0].learned_from == frozenset()


def test_nobody_plays_on_a_photograph_that_he_or_the_a_h_before_him_learned_from(arena, trained):
    photos = [view.photographs[0] for view in arena.views]
    part = Part([0, 1], None, pictures=dict(zip(photos, ("digest of a", "digest of d"), strict=True)))
    names = [str(trained), "constant"]
    rows = focus_study(arena, names, [WIDE], [part], per_view=1)
    assert {row["policy"]: row["scenes"] for row in rows} == {"plus": 1, "constant": 2}
    rows = focus_study(arena, ["constant"], [WIDE, JOINT], [part], per_view=1)
    assert [row["scenes"] for row in rows] == [2, 2]
    bed = testbed.Testbed(arena, (part,))
    assert list(testbed.not_shown(bed, "focus", names)) == [
        f"{photos[0]} is not shown to {trained}, which learned from it"
    ]
    known = Part([0], None, pictures={photos[0]: "digest of a"})
    with pytest.raises(MethodError, match="or from all of these photographs"):
        focus_study(arena, names[:1], [WIDE], [known], per_view=1)


def test_an_a_h_that_knows_a_photograph_hands_over_on_the_others(arena):
    photos = [view.photographs[0] for view in arena.views]
    bus = next(iter(exposure_methods("plus")[0].learned_from))
    part = Part([0, 1], None, pictures=dict(zip(photos, (bus, "another"), strict=True)))
    rows = focus_study(arena, ["constant"], [JOINT, WIDE], [part], per_view=1, exposure_policy="plus")
    assert [row["scenes"] for row in rows] == [1, 2]
    rows = exposure_study(arena, ["plus", "constant"], [part], per_view=1)
    assert {row["policy"]: row["scenes"] for row in rows} == {"plus": 1, "constant": 2}
    told = list(testbed.not_shown(testbed.Testbed(arena, (part,)), "focus", ["constant"], exposure="plus"))
    assert told == [f"{photos[0]} is not shown to A^H plus, which learned from it"]


def test_a_policy_of_which_nothing_says_what_it_learned_from_is_told_once(arena, trained):
    alone = trained.parent.parent / "best.npz"
    trained.rename(alone)
    bed = testbed.Testbed(arena, (Part([0]), Part([1])))
    (told,) = testbed.not_shown(bed, "focus", [str(alone), "constant"])
    assert told.startswith(f"{alone} does not say from which photographs it learned")
    assert not list(testbed.not_shown(replace(bed, key="theirs"), "focus", [str(alone)])), (
        "the split says it there"
    )


def test_photographs_of_a_folder_are_known_by_their_content(arena, tmp_path, monkeypatch):
    copy = tmp_path / "copy.jpg"
    copy.write_bytes(b"a picture")
    digest = hashlib.sha256(b"a picture").hexdigest()
    view = View(replace(arena.views[0], photographs=(str(copy),)), None)
    monkeypatch.setattr(testbed, "folder_views", lambda *_, **__: ([view], {}))
    monkeypatch.setattr(testbed, "perception_for", lambda *_, **__: None)
    bed = testbed.folder_testbed(tmp_path, "focus", [])
    assert bed.parts[0].pictures == {str(copy): digest}
    knows = replace(focus_methods("constant")[0], learned_from=frozenset({digest}))
    assert bed.parts[0].known_to(bed.arena.views, knows) == [str(copy)]
    assert bed.parts[0].numbers_for(bed.arena.views, knows) == ()
