"""The environments: Gymnasium's and stable-baselines3's checkers, and one meaning wherever they run."""

from __future__ import annotations

import re
from dataclasses import fields

import numpy as np
import pytest
from synthetic_cache import synthetic_cache

pytest.importorskip("gymnasium")
from gymnasium.utils.env_checker import check_env

from dasha_ros.learning.dataset.cache.cells import cell_features
from dasha_ros.learning.dataset.cache.rig import CachedRig
from dasha_ros.learning.envs.focus_batch import FocusBatch, ViewSampler
from dasha_ros.learning.envs.joint import DashaJointEnv
from dasha_ros.learning.envs.rewards_and_ends import FocusRules
from dasha_ros.learning.envs.single import DashaExposureEnv, DashaFocusEnv
from dasha_ros.learning.training.agents import exposure_lookup, focus_lookup
from dasha_ros.learning.training.presets import load_preset
from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.learned.belief_encoder import ACTIONS, EXPLORE_PX, STAY
from dasha_ros.policies.learned.deployed import EVIDENCE
from dasha_ros.policies.learned.exposure_encoder import REACH
from dasha_ros.policies.learned.plan_encoder import LOOK
from dasha_ros.policies.policy import FocusTask
from dasha_ros.policies.rewards import exposure_reward, focus_reward
from dasha_ros.twin.world import World

TRAIN = np.arange(10)
EXPOSURE_US, LIGHT_LX = 400_000.0, 2.5
"""An exposure so long that nothing is left of a move in its middle; together EV 0."""


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return synthetic_cache(tmp_path_factory.mktemp("cache"), planes=12)


class Start:
    """Places a cached rig at random, or as told."""

    def __init__(self, rig, position=None):
        self.rig, self.position = rig, position

    def begin(self, rng):
        position = float(rng.uniform(24.0, 70.0)) if self.position is None else self.position
        self.rig.place(World("view1", LIGHT_LX, (0.8,)), position, EXPOSURE_US)
        return FocusTask(self.rig.lens, frozenset({"cat"}))


def environment(kind, preset_name, cache, position=None, **changes):
    preset = load_preset(preset_name, **changes)
    rig = CachedRig(
        cache, latent="latent_grid" if preset_name == "plus" else "latent", hysteresis=0.0, seed=0
    )
    cells = cell_features(cache)
    exposure = exposure_lookup(cache, preset, TRAIN, cells).extractor
    focus = focus_lookup(cache, preset, TRAIN, cells).extractor
    start = Start(rig, position)
    if kind == "exposure":
        return DashaExposureEnv(rig, start, preset, exposure)
    if kind == "focus":
        return DashaFocusEnv(rig, start, preset, focus)
    return DashaJointEnv(rig, start, preset, exposure, focus)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("preset", ["plus", "paper"])
@pytest.mark.parametrize("kind", ["exposure", "focus", "joint"])
def test_checkers_pass(kind, preset, cache):
    env = environment(kind, preset, cache)
    check_env(env, skip_render_check=True)
    sb3 = pytest.importorskip("stable_baselines3.common.env_checker")
    sb3.check_env(env)


def test_the_environment_names_its_actions_and_all_that_it_pays():
    told = DashaFocusEnv.__doc__
    assert re.findall(r"``Discrete\((\d+)\)``", told) == [str(ACTIONS), str(LOOK + 1)]
    prices = {each.name for each in fields(FocusRules) if each.name.endswith(("_price", "_reward"))}
    assert len(prices) == 6
    assert not {name for name in prices if f"``{name}``" not in told}


def test_one_episode_means_the_same_over_a_rig_and_in_a_batch(cache):
    # Where a look for evidence goes depends on the last digit of the detail, which a rig's map rounds.
    preset = load_preset("plus", focus__world__settling_dioptres=0.0, focus__as_deployed=False)
    table = focus_lookup(cache, preset, TRAIN, cell_features(cache))
    rng = np.random.default_rng(0)
    batch = FocusBatch(table, preset, ViewSampler.of(table, np.array([1]), 0.0), 1, rng)
    worlds, row = batch.worlds, np.zeros(1, np.intp)
    worlds.place(row, np.array([1]), rng)
    worlds.object_dioptres[:], worlds.drift_dioptres[:], worlds.hysteresis[:] = 1.0 / 0.8, 0.0, 0.0
    worlds.ev[:] = 0.0
    worlds.move(row, np.array([60.0]), rng)
    batch.episodes.begin(row, batch.look(row))

    env = environment("focus", "plus", cache, position=60.0, focus__as_deployed=False)
    observation, _ = env.reset(seed=0)
    first_explore = ACTIONS - len(EXPLORE_PX)
    for action in (first_explore + 5, STAY, first_explore + 5, first_explore + 3, first_explore, STAY):
        np.testing.assert_allclose(observation, batch.episodes.observation()[0], atol=0.35)
        observation, reward, _, _, info = env.step(action)
        results = batch.step(np.array([[action]]))
        assert reward == pytest.approx(results.reward[0], abs=1e-5)
        for name, value in info["terms"].items():
            assert value == pytest.approx(results.terms[name][0], abs=1e-5)
        assert info["lens_position"] == pytest.approx(batch.episodes.log.position[0])


def test_a_stay_takes_no_picture_and_moves_nothing(cache):
    env = environment("focus", "plus", cache, position=45.0, focus__as_deployed=False)
    env.reset(seed=0)
    before = env.rig.usage.frames
    env.step(STAY)
    assert (env.rig.usage.moves, env.rig.usage.frames) == (0, before)


def test_rewards_are_those_of_the_paper_less_the_prices(cache):
    env = environment("focus", "plus", cache, position=60.0)
    env.reset(seed=1)
    for action in (10, 11, 12, STAY, 13):
        _, reward, _, _, info = env.step(action)
        percept = env.percept
        eq8 = focus_reward(bool(percept.of({"cat"}, 0.3)), percept.brisque)
        prices = {name: info["terms"][name] for name in ("move", "reversal", "defocus")}
        assert reward == pytest.approx(eq8.value + sum(prices.values()))
        assert max(prices.values()) <= 0.0
        episodes = env._part.episodes
        defocus_probability = episodes.encoder.defocus_probability(episodes.log)[0]
        assert prices["defocus"] == pytest.approx(-env.preset.focus.defocus_price * defocus_probability)


def test_the_papers_exposure_reward_and_end(cache):
    env = environment("exposure", "paper", cache)
    env.reset(seed=0)
    for index in (0, 60, 120, 130, 145):
        _, reward, terminated, _, _ = env.step(index)
        percept = env.percept
        assert reward == pytest.approx(exposure_reward(percept.histogram_peak, percept.brisque).value)
        assert terminated


def test_the_lens_rests_until_the_hand_over(cache):
    env = environment("joint", "plus", cache)
    observation, info = env.reset(seed=0)
    assert info["agent"] == "exposure"
    assert observation["phase"] == 0
    env.step(np.array([0, 12]))
    assert env.rig.usage.moves == 0
    good = REACH  # The middle action: where a linear sensor shows mid grey.
    observation, _, terminated, truncated, info = env.step(np.array([good, 12]))
    assert observation["phase"] == 1
    assert not terminated
    assert not truncated
    _, _, _, _, info = env.step(np.array([good, 12]))
    assert info["agent"] == "focus"
    assert env.rig.usage.moves == 1


def test_the_paper_ends_on_detection_and_every_position_can_be_said(cache):
    env = environment("focus", "paper", cache, position=60.0)
    env.reset(seed=0)
    assert list(env.action_space.nvec) == [47, 10]
    in_focus = lens_model().position(1.0 / 0.8)
    coarse, fine = divmod(round((in_focus - 24.0) * 10), 10)
    _, reward, terminated, _, info = env.step(np.array([coarse, fine]))
    assert info["lens_position"] == pytest.approx(24.0 + coarse + fine / 10)
    assert terminated
    assert -1.0 < reward < 0.0


def test_equation_7_is_paid_to_the_lens_agent_from_the_cache_as_over_a_rig(cache):
    """One reading of the paper's intrinsic reward: the same pictures hold the same peak in both places."""
    preset = load_preset("paper", focus__exposure_reward=1.0, focus__end_on_detection=False)
    table = focus_lookup(cache, preset, TRAIN, None)
    rng = np.random.default_rng(0)
    batch = FocusBatch(table, preset, ViewSampler.of(table, TRAIN, 0.0), 4, rng)
    results = batch.step(np.array([[3, 0], [20, 5], [30, 0], [46, 9]]))
    episodes = batch.episodes
    paid = [exposure_reward(p, b).value for p, b in zip(episodes.peak, episodes.brisque, strict=True)]
    assert results.terms["intrinsic"] == pytest.approx(paid)

    rig = CachedRig(cache, latent="latent", hysteresis=0.0, seed=0)
    env = DashaFocusEnv(rig, Start(rig, 45.0), preset, table.extractor)
    env.reset(seed=0)
    _, reward, _, _, info = env.step(np.array([20, 5]))
    percept = env.percept
    eq7 = exposure_reward(percept.histogram_peak, percept.brisque).value
    assert info["terms"]["intrinsic"] == pytest.approx(eq7)
    assert reward == pytest.approx(eq7 + focus_reward(bool(percept.of({"cat"}, 0.3)), percept.brisque).value)


def test_who_learns_as_deployed_looks_once_more_before_it_rests_without_evidence(cache):
    everywhere = np.linspace(26.0, 68.0, 60)

    def rests(as_deployed):
        preset = load_preset("plus", focus__as_deployed=as_deployed, focus__world__hysteresis=(0.0, 0.0))
        table = focus_lookup(cache, preset, TRAIN, cell_features(cache))
        rng = np.random.default_rng(0)
        batch = FocusBatch(table, preset, ViewSampler.of(table, TRAIN, 0.0), len(everywhere), rng)
        rows = np.arange(len(everywhere))
        batch.worlds.move(rows, everywhere, rng)
        batch.episodes.begin(rows, batch.look(rows))
        episodes = batch.episodes
        sharp = episodes.encoder.sharp_probability(episodes.log)
        look = episodes.encoder.next_look(episodes.log)
        unsure = episodes.detected & (sharp < EVIDENCE) & episodes.log.would_move(look)
        batch.step(np.full((len(everywhere), 1), STAY))
        return unsure, look, episodes.log.position

    unsure, look, position = rests(as_deployed=True)
    assert unsure.any()
    assert not unsure.all()
    np.testing.assert_allclose(position, np.where(unsure, look, everywhere))
    np.testing.assert_allclose(rests(as_deployed=False)[2], everywhere)
