"""The environments by name: `gymnasium.make` gives what both checkers pass, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic_cache import synthetic_cache

pytest.importorskip("gymnasium")
import gymnasium
from gymnasium.utils.env_checker import check_env
from gymnasium.utils.env_checker import data_equivalence as same

import dasha_ros.learning.envs  # noqa: F401  (registers the environments)
from dasha_ros.assets.catalogue import AssetMissing
from dasha_ros.learning.dataset.cache.store import CacheError
from dasha_ros.learning.dataset.scenes.shipped import scene_views
from dasha_ros.learning.envs.registration import ENVIRONMENTS, register_environments
from dasha_ros.learning.training.presets import PresetError
from dasha_ros.learning.training.run_folder import TrainingError
from dasha_ros.learning.training.train import split_of
from dasha_ros.perception.errors import ModelError
from dasha_ros.policies.learned.policy_file import PolicyFileError, shipped_policy
from dasha_ros.twin.scene import SceneError

SCENE = "cat_pagoda"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return synthetic_cache(tmp_path_factory.mktemp("cache"), planes=12, composites=4)


def check(env):
    check_env(env.unwrapped, skip_render_check=True)
    pytest.importorskip("stable_baselines3.common.env_checker").check_env(env.unwrapped)


def over_the_twin(name, preset="paper", **arguments):
    try:
        return gymnasium.make(name, preset=preset, scene=SCENE, **arguments)
    except (ModelError, AssetMissing) as error:
        pytest.skip(str(error))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_over_a_cache_both_checkers_pass(name, cache):
    check(gymnasium.make(name, rig="cached", cache=cache.path))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("preset", ["paper", "plus"])
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_over_the_twin_both_checkers_pass(name, preset):
    check(over_the_twin(name, preset))


@pytest.mark.filterwarnings("ignore")
def test_the_same_seed_draws_the_same_episodes_of_the_part_that_was_asked_for(cache):
    validation = {cache.views[v].name for v in split_of(cache, 1).validation}

    def episodes(seed):
        env = gymnasium.make(
            "DashaJoint-v0",
            preset="paper_drawn", rig="cached", cache=cache.path, split=1, part="validation", seed=seed,
        )  # fmt: skip
        rig = env.unwrapped.rig
        seen = []
        for _ in range(12):
            seen.append(env.reset())
            assert rig._arena.rig._world.scene in validation
        return seen

    assert same(episodes(5), episodes(5), exact=True)
    assert not same(episodes(5), episodes(6))


@pytest.mark.filterwarnings("ignore")
def test_only_the_lens_agents_own_episodes_begin_well_exposed(cache):
    grey = {}
    for name in ("DashaExposure-v0", "DashaFocus-v0"):
        env = gymnasium.make(name, preset="paper_drawn", rig="cached", cache=cache.path, seed=0)
        grey[name] = []
        for _ in range(40):
            env.reset()
            grey[name].append(env.unwrapped.percept.mean_grey)
    assert all(55.0 <= value <= 165.0 for value in grey["DashaFocus-v0"])
    assert min(grey["DashaExposure-v0"]) < 20.0
    assert max(grey["DashaExposure-v0"]) > 200.0


def test_scenes_of_the_twin_are_views_with_their_mid_grey():
    env = over_the_twin("DashaFocus-v0", seed=0)
    (view,) = scene_views([SCENE])
    assert (view.info.label, view.info.kind) == ("cat", "composite")
    assert view.info.separation_dioptres == pytest.approx(
        1.0 / view.scene.distances_m[0] - 1.0 / view.scene.distances_m[1]
    )
    for _ in range(3):
        env.reset()
        assert 55.0 <= env.unwrapped.percept.mean_grey <= 165.0


def test_registering_twice_changes_nothing(recwarn):
    register_environments()
    assert not recwarn.list


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"preset": "best"}, PresetError, "no preset 'best'"),
        ({"rig": "cached", "cache": "/nowhere"}, CacheError, "no percept cache"),
        ({"rig": "graph"}, ValueError, "rig 'graph'"),
        ({"scene": "moon"}, SceneError, "no scene 'moon'"),
        ({"part": "test"}, ValueError, "part does not apply to the rig twin, only to cached"),
        ({"rig": "cached", "scene": SCENE}, ValueError, "scene does not apply to the rig cached"),
        ({"speed": 2.0}, ValueError, "no option 'speed'; there are: rig, scene, cache"),
        ({"policy": "/nowhere.npz"}, PolicyFileError, "there is no policy"),
        ({"policy": shipped_policy("paper", "focus")}, PolicyFileError, "trained with this preset"),
    ],
)
def test_bad_arguments_are_refused_with_a_sentence(arguments, error, says):
    with pytest.raises(error, match=says):
        gymnasium.make("DashaFocus-v0", **arguments)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_stable_baselines3_makes_them_by_name_and_learns(name, cache):
    sb3 = pytest.importorskip("stable_baselines3", reason="scripts/setup --torch installs it")
    from stable_baselines3.common.env_util import make_vec_env

    envs = make_vec_env(name, n_envs=2, seed=1, env_kwargs={"rig": "cached", "cache": cache.path})
    kind = "MultiInputPolicy" if name == "DashaJoint-v0" else "MlpPolicy"
    learner = sb3.PPO(kind, envs, n_steps=8, batch_size=16, n_epochs=1, device="cpu")
    learner.learn(32)
    assert learner.num_timesteps == 32
    with pytest.raises(TypeError, match="no option 'speed'"):
        gymnasium.make(name, speed=2.0)


def test_parts_and_splits_that_are_not_there_are_refused(cache):
    for arguments, error, says in (
        ({"part": "dev"}, ValueError, "part 'dev'"),
        ({"split": 9}, TrainingError, "no split 9"),
        ({"split": -1}, TrainingError, "no split -1"),
    ):
        with pytest.raises(error, match=says):
            gymnasium.make("DashaFocus-v0", rig="cached", cache=cache.path, **arguments)


def test_actions_of_random_agents_stay_in_range(cache):
    env = gymnasium.make("DashaFocus-v0", rig="cached", cache=cache.path, seed=3)
    env.action_space.seed(0)
    env.reset()
    for _ in range(60):
        _, _, terminated, truncated, info = env.step(env.action_space.sample())
        assert 24.0 <= info["lens_position"] <= 70.0
        assert np.isfinite(list(info["terms"].values())).all()
        if terminated or truncated:
            env.reset()


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("DashaFocus-v0", 19),
        ("DashaFocus-v0", -1),
        ("DashaFocus-v0", float("nan")),
        ("DashaFocus-v0", [1, 2]),
        ("DashaExposure-v0", 49),
        ("DashaExposure-v0", 1.5),
        ("DashaJoint-v0", [49, 0]),
    ],
)
def test_an_action_that_is_none_is_refused(name, action, cache):
    env = gymnasium.make(name, rig="cached", cache=cache.path, disable_env_checker=True)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="is no action"):
        env.step(np.asarray(action))
