"""Training from a cache in closed form: the same curve, resumed exactly, and ends that say why."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from synthetic_cache import synthetic_cache
from tiny_runs import TINY, run_of, weights

from dasha_ros.files.locking import folder_locked
from dasha_ros.learning.dataset.cache.cells import ReadingError
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.store import CacheError, Store
from dasha_ros.learning.dataset.scenes.planes import stem
from dasha_ros.learning.training import agents as train_agents
from dasha_ros.learning.training.ppo import load_network, network_of
from dasha_ros.learning.training.presets import load_preset
from dasha_ros.learning.training.run_folder import TrainingError
from dasha_ros.learning.training.train import plan, train
from dasha_ros.policies.learned.exposure import LearnedExposure
from dasha_ros.policies.learned.focus import LearnedFocus
from dasha_ros.policies.learned.policy_file import PolicyFile

pytest.importorskip("stable_baselines3")
from dasha_ros.learning.training import callbacks as train_watch

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("few_episodes")]


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return synthetic_cache(tmp_path_factory.mktemp("cache"), planes=15, composites=5, colour=True)


@pytest.mark.parametrize(
    ("agent", "preset"),
    [
        ("focus", "plus"),
        ("focus", "plus_colour"),
        ("focus", "ablation_without_plan"),
        ("focus", "paper"),
        ("exposure", "plus"),
        ("exposure", "paper"),
    ],
)
def test_a_run_leaves_a_policy_that_runs(agent, preset, cache, tmp_path):
    run, info = run_of(agent, preset, cache, tmp_path / "run")
    assert train(run, info, cache)
    evaluations = [json.loads(line) for line in (run.path / "evaluations.jsonl").read_text().splitlines()]
    assert [e["steps"] for e in evaluations] == [64, 128, 192]
    policy = LearnedFocus(run.policy) if agent == "focus" else LearnedExposure(run.policy)
    made = policy.file.info.made
    assert made["seed"] == 3
    assert made["scenes"]["train"]
    assert not set(made["scenes"]["train"]) & set(made["scenes"]["test"])
    pictures = sorted([stem(name), digest] for name, digest in cache.meta.pictures.items())
    assert sorted(made["pictures"]) == pictures, "so that nobody judges it on these"
    assert "cache" not in made  # a path of one machine has no business in a shipped file
    assert list(run.tensorboard.rglob("events*"))


def test_the_same_seed_gives_the_same_policy_and_another_seed_another(cache, tmp_path):
    first, info = run_of("focus", "plus", cache, tmp_path / "a")
    again, _ = run_of("focus", "plus", cache, tmp_path / "b")
    other, _ = run_of("focus", "plus", cache, tmp_path / "c")
    train(first, info, cache)
    train(again, info, cache)
    train(other, replace(info, seed=4), cache)
    for name, value in weights(first).items():
        np.testing.assert_array_equal(weights(again)[name], value)
    assert any((weights(other)[name] != value).any() for name, value in weights(first).items())


@pytest.mark.parametrize("agent", ["focus", "exposure"])
def test_views_of_the_test_need_not_be_there_and_teach_nothing(agent, cache, tmp_path):
    copy = tmp_path / "cache"
    shutil.copytree(cache.path, copy)
    store = Store.load(copy)
    absent = set(range(len(store.views))) - store.needed(0)
    assert absent
    lines = [json.loads(line) for line in (copy / "journal.jsonl").read_text().splitlines() if line]
    kept = [json.dumps(line) + "\n" for line in lines if line["view"] not in absent]
    (copy / "journal.jsonl").write_text("".join(kept))
    arrays = store.arrays("r+")
    for name, field in store.meta.fields.items():
        for view in absent:
            arrays[name][store.layout.part(field.table, view)] = 0
        arrays[name].flush()

    with pytest.raises(CacheError, match="unfinished"):
        PerceptCache.open(copy)
    runs = []
    for name, opened in (("all", cache), ("part", PerceptCache.open(copy, verify=False, split=0))):
        run, info = run_of(agent, "plus", opened, tmp_path / name)
        train(run, info, opened)
        runs.append(weights(run, agent))
    for name, value in runs[0].items():
        np.testing.assert_array_equal(runs[1][name], value)


@pytest.mark.parametrize("agent", ["focus", "exposure"])
@pytest.mark.parametrize("stop_after", [30, 150])
def test_a_run_that_was_stopped_ends_where_an_unbroken_one_ends(
    agent, stop_after, cache, tmp_path, monkeypatch
):
    monkeypatch.setattr(train_watch, "CHECKPOINT_S", 0.0)
    whole, info = run_of(agent, "plus", cache, tmp_path / "whole")
    train(whole, info, cache)
    broken, _ = run_of(agent, "plus", cache, tmp_path / "broken")
    asked = iter(range(10**6))
    assert not train(broken, info, cache, stopped=lambda: next(asked) > stop_after // 4)
    assert train(broken, info, cache, resume=True)
    for name, value in weights(whole, agent).items():
        np.testing.assert_array_equal(weights(broken, agent)[name], value)
    assert (whole.path / "evaluations.jsonl").read_text() == (broken.path / "evaluations.jsonl").read_text()


def test_a_damaged_checkpoint_is_refused_and_says_what_is_left(cache, tmp_path):
    run, info = run_of("focus", "plus", cache, tmp_path / "run", steps=64)
    train(run, info, cache)
    content = bytearray(run.checkpoint.read_bytes())
    content[len(content) // 2] ^= 1
    run.checkpoint.write_bytes(content)
    with pytest.raises(TrainingError, match=r"damaged.*best\.npz"):
        train(run, info, cache, resume=True)


def test_a_learner_that_diverges_is_stopped_and_the_best_policy_stays(cache, tmp_path, monkeypatch):
    run, info = run_of("focus", "plus", cache, tmp_path / "run")

    def poison(learner):
        net = network_of(learner)
        if learner.num_timesteps >= 128:
            net.actor.weights[0][:] = np.nan
        return net

    monkeypatch.setattr(train_watch, "network_of", poison)
    with pytest.raises(TrainingError, match=r"diverged after 128 steps.*best policy is kept"):
        train(run, info, cache)
    assert all(np.isfinite(value).all() for value in weights(run).values())


def test_a_learner_that_collapses_is_stopped(cache, tmp_path, monkeypatch):
    run, info = run_of("focus", "plus", cache, tmp_path / "run", steps=640)
    merits = iter([0.9, *[0.1] * 50])

    class Falling:
        def __init__(self):
            self.merit = next(merits)

        def as_dict(self):
            return {"merit": self.merit}

    monkeypatch.setattr(train_agents, "score_focus", lambda *_, **__: Falling())
    with pytest.raises(TrainingError, match=r"collapsed.*0\.90 to 0\.10.*best policy is kept"):
        train(run, info, cache)
    assert PolicyFile.load(run.policy, "focus").info.made["validation"]["merit"] == 0.9


def test_a_folder_holds_one_run(cache, tmp_path):
    run_of("focus", "plus", cache, tmp_path / "run")
    with pytest.raises(TrainingError, match=r"already holds a run.*--resume"):
        run_of("focus", "plus", cache, tmp_path / "run")


def test_two_processes_never_train_in_one_folder(cache, tmp_path):
    """The one that is behind would put an older policy in place of the best one."""
    run, info = run_of("focus", "plus", cache, tmp_path / "run")
    with (
        folder_locked(run.path, RuntimeError, "busy"),
        pytest.raises(TrainingError, match="another process trains in"),
    ):
        train(run, info, cache)
    assert train(run, info, cache)


def test_another_cache_is_refused(cache, tmp_path):
    run, info = run_of("focus", "plus", cache, tmp_path / "run")
    with pytest.raises(TrainingError, match="another percept cache"):
        train(run, replace(info, cache_key="other"), cache)


def test_a_split_that_is_not_there_is_refused(cache):
    with pytest.raises(TrainingError, match="no split 9"):
        plan("focus", load_preset("plus"), cache, split=9)


def test_a_cache_from_which_nothing_can_be_fitted_is_refused_before_a_run_begins(tmp_path):
    few = synthetic_cache(tmp_path / "few", planes=5)
    with pytest.raises(ReadingError, match="blur is read from at least 4: build a percept cache of more"):
        plan("focus", load_preset("plus"), few)
    plan("focus", load_preset("paper"), few)
    plan("exposure", load_preset("plus"), few)


def test_a_cache_without_the_colours_of_a_preset_is_refused_before_a_run_begins(tmp_path):
    grey = synthetic_cache(tmp_path / "grey", planes=10)
    with pytest.raises(ReadingError, match="holds no colours, which this preset reads"):
        plan("focus", load_preset("plus_colour"), grey)
    plan("exposure", load_preset("plus_colour"), grey)


def test_a_lens_that_did_not_make_the_cache_is_refused(cache, tmp_path):
    """Its episodes would count another blur than the pictures have."""
    slow = tmp_path / "slow.yaml"
    slow.write_text(
        "unit: V\nf_number: 4.0\npoints:\n"
        "  - {position: 24, blur_px: -22.1}\n  - {position: 70, blur_px: 41.4}\n"
    )
    preset = load_preset("plus", lens=str(slow))
    for agent in ("focus", "exposure"):
        with pytest.raises(CacheError, match=r"made with 25 mm at f/2, .* has 25 mm at f/4: take a lens"):
            plan(agent, preset, cache)
    with pytest.raises(CacheError, match=r"made with 25 mm at f/2"):
        train_agents.focus_lookup(cache, preset, np.arange(8), None)


def test_a_network_goes_into_a_learner_and_comes_out_the_same(cache, tmp_path):
    from dasha_ros.learning.training import train as module

    run, info = run_of("focus", "plus", cache, tmp_path / "run", steps=64)
    train(run, info, cache)
    net = PolicyFile.load(run.policy, "focus").net
    split = module.split_of(cache, 0)
    preset = load_preset("plus", focus__ppo=TINY)
    trainee = module._trainee(info, preset, cache, split, None)
    learner = module.make_learner(trainee.env, preset.focus.ppo, seed=99)
    load_network(learner, net)
    observation = trainee.env.reset()
    np.testing.assert_allclose(network_of(learner).actor(observation), net.actor(observation))
    logits = learner.policy.get_distribution(learner.policy.obs_to_tensor(observation)[0]).distribution.logits
    np.testing.assert_allclose(
        logits.detach().numpy(), net.log_probabilities(observation)[0], rtol=1e-4, atol=1e-5
    )
