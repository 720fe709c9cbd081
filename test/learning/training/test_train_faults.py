"""What may go wrong while an agent learns: told in a sentence, and nothing that was good is lost."""

from __future__ import annotations

import errno
import os
import shutil

import numpy as np
import pytest
from synthetic_cache import synthetic_cache
from tiny_runs import run_of, weights

from dasha_ros.control.rig import RigError
from dasha_ros.learning.dataset.cache.cells import CellMap, ReadingError
from dasha_ros.learning.dataset.cache.layout import GREY
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.store import Store
from dasha_ros.learning.envs.vector import BatchVecEnv
from dasha_ros.learning.evaluation.arenas import CacheArena
from dasha_ros.learning.evaluation.evaluate import play_focus
from dasha_ros.learning.evaluation.settings import focus_setting, focus_starts
from dasha_ros.learning.training import train as train_module
from dasha_ros.learning.training.run_folder import TrainingError
from dasha_ros.learning.training.train import split_of, train
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.classical.focus import CoarseToFineFocus
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import FocusTask

pytest.importorskip("stable_baselines3")
from dasha_ros.learning.envs.making import exposure_env, focus_env
from dasha_ros.learning.training import callbacks as train_watch

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("few_episodes")]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    return synthetic_cache(tmp_path_factory.mktemp("cache"), planes=10)


def damaged(cache, folder, view, field):
    """A copy in which one field of a view is not a number."""
    shutil.copytree(cache.path, folder)
    store = Store.load(folder)
    array = store.arrays("r+")[field]
    if store.meta.fields[field].table == GREY:
        array[store.layout.part(GREY, view)] = np.nan
    else:
        where = CellMap(cache)
        for cells in (where.focus_cells(view), where.light_cells(view)):
            array[cells.rows.ravel()] = np.nan
    return PerceptCache.open(folder, verify=False)


@pytest.mark.parametrize(
    ("agent", "preset", "field"),
    [
        ("focus", "paper", "brisque"),
        ("focus", "paper", "score"),
        ("focus", "paper", "latent"),
        ("focus", "plus", "latent_grid"),
        ("exposure", "paper", "mean_grey"),
        ("exposure", "plus", "histogram"),
    ],
)
@pytest.mark.parametrize("part", ["train", "validation"])
def test_a_percept_that_is_no_number_ends_training_and_names_its_view(
    agent, preset, field, part, healthy, tmp_path
):
    view = int(getattr(split_of(healthy, 0), part)[0])
    cache = damaged(healthy, tmp_path / "cache", view, field)
    run, info = run_of(agent, preset, cache, tmp_path / "run", steps=640)
    with pytest.raises(
        ReadingError, match=rf"damaged: in view view{view} .*not a finite number.*cache build"
    ):
        train(run, info, cache)


def test_what_was_learned_before_the_damage_stays(healthy, tmp_path):
    whole, info = run_of("focus", "paper", healthy, tmp_path / "whole")
    train(whole, info, healthy)
    run, _ = run_of("focus", "paper", healthy, tmp_path / "run")
    told = []
    assert not train(
        run, info, healthy, report=lambda news: told.append(news.steps), stopped=lambda: 64 in told
    )
    best = weights(run)
    cache = damaged(healthy, tmp_path / "cache", int(split_of(healthy, 0).train[0]), "brisque")
    with pytest.raises(ReadingError):
        train(run, info, cache, resume=True)
    for name, value in weights(run).items():
        np.testing.assert_array_equal(best[name], value)
    assert train(run, info, healthy, resume=True)
    assert (whole.path / "evaluations.jsonl").read_text() == (run.path / "evaluations.jsonl").read_text()


def test_a_percept_that_is_no_number_costs_an_evaluation_one_episode(healthy, tmp_path):
    cache = damaged(healthy, tmp_path / "cache", 1, "brisque")
    arena = CacheArena(cache)
    starts = focus_starts(
        focus_setting("planes_wide"), cache.views, [0, 1, 2],
        per_view=1, seed=0, lens=lens_model(), table=exposure_table(),
    )  # fmt: skip
    codes = [play_focus(arena, CoarseToFineFocus(), start).code for start in starts]
    assert codes[1] is ErrorCode.PERCEPT_INVALID
    assert ErrorCode.PERCEPT_INVALID not in (codes[0], codes[2])


class Placed:
    """Always before the same view."""

    def __init__(self, rig):
        self.rig = rig

    def begin(self, rng):
        return FocusTask(self.rig.lens, frozenset({"cat"}))


@pytest.mark.parametrize("make", [focus_env, exposure_env])
def test_a_percept_that_is_no_number_costs_an_environment_one_episode(make, healthy, monkeypatch):
    env = make("paper", rig="cached", cache=healthy.path, seed=0)
    env.reset()
    arena = env.rig._arena
    name = "move" if make is focus_env else "expose"
    real = getattr(type(arena.rig), name)

    def broken(self, value):
        percept = real(self, value)
        percept.latent[0] = np.nan
        return percept

    with monkeypatch.context() as patch:
        patch.setattr(type(arena.rig), name, broken)
        with pytest.raises(RigError, match="not finite numbers") as lost:
            env.step(env.action_space.sample())
    assert lost.value.code is ErrorCode.PERCEPT_INVALID
    observation, _ = env.reset()
    assert np.isfinite(observation).all()
    assert np.isfinite(env.step(env.action_space.sample())[1])


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning", "ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("agent", ["focus", "exposure"])
def test_a_learner_that_explodes_is_stopped_and_the_best_policy_stays(agent, healthy, tmp_path, monkeypatch):
    make = train_module.make_learner

    def explosive(*arguments):
        learner = make(*arguments)
        learner.lr_schedule = lambda left: 1e-3 if left > 0.5 else 1e38
        return learner

    monkeypatch.setattr(train_module, "make_learner", explosive)
    run, info = run_of(agent, "paper", healthy, tmp_path / "run", steps=256)
    with pytest.raises(TrainingError, match=r"diverged after \d+ steps.*best policy is kept"):
        train(run, info, healthy)
    assert all(np.abs(value).max() < 1e3 for value in weights(run, agent).values())


@pytest.mark.parametrize(
    "content",
    [lambda whole: b"", lambda whole: whole[:1000], lambda whole: whole[:-1], lambda whole: b"PK" + whole],
    ids=["empty", "cut", "one byte short", "of another kind"],
)
def test_a_checkpoint_that_is_none_is_refused(content, healthy, tmp_path):
    run, info = run_of("focus", "paper", healthy, tmp_path / "run", steps=64)
    train(run, info, healthy)
    run.checkpoint.write_bytes(content(run.checkpoint.read_bytes()))
    with pytest.raises(TrainingError, match=r"damaged: delete it and begin the run anew.*best\.npz"):
        train(run, info, healthy, resume=True)


def test_a_checkpoint_of_another_version_is_refused_in_words(healthy, tmp_path, monkeypatch):
    """Its episodes hold objects that have changed since."""
    run, info = run_of("focus", "paper", healthy, tmp_path / "run", steps=64)
    train(run, info, healthy)

    real, begun = BatchVecEnv.restore, []

    def restore(env, state):
        if begun:
            raise ModuleNotFoundError("No module named 'dasha_ros.learning.envs.rules'")
        begun.append(env)
        real(env, state)

    monkeypatch.setattr(BatchVecEnv, "restore", restore)
    with pytest.raises(TrainingError, match=r"by another version of dasha_ros: begin the run anew"):
        train(run, info, healthy, resume=True)


def test_a_run_killed_before_its_first_checkpoint_begins_again(healthy, tmp_path):
    whole, info = run_of("focus", "paper", healthy, tmp_path / "whole")
    train(whole, info, healthy)
    killed, _ = run_of("focus", "paper", healthy, tmp_path / "killed")
    assert train(killed, info, healthy, resume=True)
    for name, value in weights(whole).items():
        np.testing.assert_array_equal(weights(killed)[name], value)


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class FullDisk:
    """A disk that is full from the n-th write of a kind on, until it is freed."""

    def __init__(self, monkeypatch, what, after):
        self.patch, self.left = monkeypatch, after
        owner, name = {
            "checkpoint": (os, "fsync"),
            "policy": (np, "savez_compressed"),
            "curve": (train_watch.Watch, "_on_step"),
        }[what]
        self.real = getattr(owner, name)

        def write(*arguments, **named):
            if self.left == 0:
                full()
            self.left -= 1
            return self.real(*arguments, **named)

        monkeypatch.setattr(owner, name, write)

    def free(self):
        self.left = -1


@pytest.mark.parametrize(("what", "after"), [("checkpoint", 3), ("policy", 0), ("curve", 20)])
def test_a_full_disk_is_told_and_the_run_goes_on_when_it_is_freed(
    what, after, healthy, tmp_path, monkeypatch
):
    monkeypatch.setattr(train_watch, "CHECKPOINT_S", 0.0)
    whole, info = run_of("focus", "paper", healthy, tmp_path / "whole")
    train(whole, info, healthy)
    run, _ = run_of("focus", "paper", healthy, tmp_path / "run")
    disk = FullDisk(monkeypatch, what, after)
    with pytest.raises(TrainingError, match=r"(full|No space left).*--resume .*run"):
        train(run, info, healthy)
    assert [path.name for path in run.path.glob(".*")] == [".lock"], "no half files"
    disk.free()
    assert train(run, info, healthy, resume=True)
    for name, value in weights(whole).items():
        np.testing.assert_array_equal(weights(run)[name], value)
    assert (whole.path / "evaluations.jsonl").read_text() == (run.path / "evaluations.jsonl").read_text()
