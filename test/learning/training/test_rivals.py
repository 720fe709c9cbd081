"""What rivals learn, on a cache in closed form."""

from __future__ import annotations

import json

import numpy as np
import pytest
from analytic_cache import analytic_cache
from analytic_rig import _tenengrad

from dasha_ros.learning.training.rivals import (
    PROFILE_RADII_PX,
    fit_contrast_profile,
    main,
    train_phase,
    train_ten,
)
from dasha_ros.policies.rivals.contrast_profile import ContrastProfile, ProfileError
from dasha_ros.policies.rivals.q_network import QNetwork
from dasha_ros.policies.rivals.ten_dqn import ACTIONS_V, STOP

pytest.importorskip("gymnasium", reason="training needs `pip install dasha_ros[training]`")

from dasha_ros.learning.training.rival_envs import PhaseEnv, TenEnv


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache") / "c"
    analytic_cache(folder)
    return folder


@pytest.fixture(scope="module")
def cache(path):
    from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache

    return PerceptCache.open(path)


def test_the_profile_is_the_curve_of_the_planes(cache):
    profile = fit_contrast_profile(cache, range(len(cache.views)))
    curve = np.log([_tenengrad(radius) for radius in PROFILE_RADII_PX])
    fitted = np.array(profile.mean) - profile.mean[0]
    # The cache is linear between its cells, the curve is not.
    assert fitted == pytest.approx(curve - curve[0], abs=0.25)
    assert max(profile.deviation) == pytest.approx(0.05), "scenes differ by an offset alone"


def test_composites_give_no_profile(cache):
    with pytest.raises(ProfileError, match="at least one"):
        fit_contrast_profile(cache, [6, 7, 8])


def test_ten_environment_passes_the_checker(cache):
    from gymnasium.utils.env_checker import check_env

    check_env(TenEnv(cache, [0, 1]), skip_render_check=True)


def test_phase_environment_passes_the_checker():
    from gymnasium.utils.env_checker import check_env

    check_env(PhaseEnv(), skip_render_check=True)


def placed(env, position, dioptres, view=0):
    env.reset(seed=0)
    env._view, env._position, env._object = view, position, dioptres
    return env


def test_tens_rewards_are_those_of_its_code(cache):
    env, lens = TenEnv(cache, [0, 1]), TenEnv(cache, [0])._lens
    focus = lens.position(1.0)
    _, reward, ended, _, _ = placed(env, focus, 1.0).step(STOP)
    assert (reward, ended) == (1.0, True), "+100 for stopping in focus"
    _, reward, ended, _, _ = placed(env, focus + 8.0, 1.0).step(STOP)
    assert ended
    assert -1.09 < reward < -1.05, "-100 for stopping elsewhere, and the step's own loss"
    _, reward, ended, _, _ = placed(env, focus - 2.7, 1.0).step(4)
    assert not ended
    assert reward == pytest.approx(0.01, abs=1e-3), "10 (1 - 0.9), over 100"
    _, reward, ended, _, _ = placed(env, 69.0, 1.0).step(4)
    assert ended
    assert reward < -1.05, "-100 for leaving the range"


def test_tens_episodes_end_after_20_steps(cache):
    env = placed(TenEnv(cache, [0]), 40.0, 1.0)
    for step in range(20):
        _, reward, ended, _, _ = env.step(1 if step % 2 else 3)
    assert ended
    assert reward < -0.9


def test_the_sharper_picture_pays_more(cache):
    env = TenEnv(cache, [0])
    focus = env._lens.position(1.5)
    rewards = [placed(env, focus + off - 0.3, 1.5).step(3)[1] for off in (0.0, 0.5, 1.0, 2.0, 6.0)]
    assert rewards == sorted(rewards, reverse=True)


def test_phase_rewards_tolerate_noise():
    env = PhaseEnv()
    focus = env._lens.position(1.0)

    def stopped(off):
        env.reset(seed=0)
        env._position, env._object = focus + off, 1.0
        return env.step(5)[1]

    assert (stopped(0.0), stopped(0.3), stopped(1.0)) == (1.0, 1.0, -1.0)


def test_training_writes_what_evaluations_read(path, tmp_path):
    out = ["--out", str(tmp_path / "out")]
    main(["--cache", str(path), "--split", "1", "--seed", "7", "--steps", "300", *out])
    made = QNetwork.load(tmp_path / "out" / "ten_dqn.npz").made
    assert (made["split"], made["seed"], made["planes"]) == (1, 7, 2)
    assert QNetwork.load(tmp_path / "out" / "phase_shift_rl.npz").made["rival"] == "phase_shift_rl"
    assert "split 1" in ContrastProfile.load(tmp_path / "out" / "contrast_profile.json").source


def test_the_same_seed_gives_the_same_network(cache):
    first, again, other = (train_ten(cache, [0, 1], seed, steps=2_500) for seed in (3, 3, 4))
    assert all((a == b).all() for (a, _), (b, _) in zip(first.layers, again.layers, strict=True))
    assert not all((a == b).all() for (a, _), (b, _) in zip(first.layers, other.layers, strict=True))


def test_a_network_says_how_it_was_made():
    made = train_phase(seed=2, steps=200).made
    assert (made["seed"], made["steps"]) == (2, 200)
    assert json.loads(json.dumps(made)) == made


def test_nothing_to_learn_from_is_refused(cache, tmp_path, capsys):
    with pytest.raises(ValueError, match="at least one view"):
        train_ten(cache, [6, 7])
    for wrong in (["--cache", str(tmp_path)], ["--cache", str(cache.path), "--split", "9"]):
        with pytest.raises(SystemExit):
            main([*wrong, "--out", str(tmp_path)])
    assert "dasha cache build" in capsys.readouterr().err


def test_the_actions_are_the_papers():
    assert ACTIONS_V == (-2.7, -0.3, 0.0, 0.3, 2.7)
