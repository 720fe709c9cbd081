"""Trains the rivals: the contrast profile, and the networks of [12] and [11].

``python -m dasha_ros.learning.training.rivals --cache FOLDER --split 0`` writes all three into
``config/peers``. They learn from the training photographs of a split alone, like the agents that they are
compared with.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.store import CacheError
from dasha_ros.learning.dataset.scenes.splits import splits
from dasha_ros.policies.rivals.contrast_profile import ContrastProfile
from dasha_ros.policies.rivals.q_network import QNetwork
from dasha_ros.system.paths import config_dir

if TYPE_CHECKING:
    import gymnasium as gym
    from stable_baselines3 import DQN

PROFILE_RADII_PX = (0, 0.5, 1, 1.5, 2, 3, 4, 5, 6.5, 8, 10, 12.5, 15, 18, 22, 26, 31, 37, 44, 52, 62, 75)
"""Blur radii of a contrast profile [px at 640]."""
STEPS = 200_000
"""Training steps of a DQN; the code of [12] uses 100,000."""
HIDDEN = (64, 64)
"""Widths of a Q network."""
DQN_SETTINGS: dict[str, Any] = {
    "learning_rate": 5e-4, "buffer_size": 50_000, "learning_starts": 2_000, "batch_size": 128,
    "gamma": 0.99, "train_freq": 8, "gradient_steps": 2, "target_update_interval": 1_000,
    "exploration_fraction": 0.5, "exploration_final_eps": 0.05,
}  # fmt: skip
"""Of stable-baselines3's DQN."""


def fit_contrast_profile(cache: PerceptCache, views: Sequence[int], source: str = "") -> ContrastProfile:
    """The mean log-contrast profile of some planes of a cache; composites are left out.

    Raises:
        ProfileError: There is no plane among the views.
    """
    radii = np.array(PROFILE_RADII_PX, np.float64)
    planes = [view for view in views if cache.views[view].kind == "plane"]
    curves = [
        np.mean(
            [
                cache.lookup(view, radii / cache.px_per_dioptre, 0.0, draw, ("sharpness",))["sharpness"]
                for draw in range(cache.draws)
            ],
            axis=0,
        )
        for view in planes
    ]
    return ContrastProfile.fit(radii, np.array(curves, np.float64).reshape(len(planes), len(radii)), source)


def train_ten(
    cache: PerceptCache, views: Sequence[int], seed: int = 0, steps: int = STEPS, **made: Any
) -> QNetwork:
    """[12]'s DQN on the planes among some views of a cache; ``made`` goes into the file as it is.

    Raises:
        ValueError: There is no plane among the views.
    """
    from dasha_ros.learning.training.rival_envs import TenEnv

    planes = [view for view in views if cache.views[view].kind == "plane"]
    made = {"rival": "ten_dqn", "planes": len(planes), **made}
    return _dqn(lambda: TenEnv(cache, planes), seed, steps, made)


def train_phase(seed: int = 0, steps: int = STEPS) -> QNetwork:
    """The phase-shift agent assumed for [11]; it sees no pictures, so it needs no cache."""
    from dasha_ros.learning.training.rival_envs import PhaseEnv

    return _dqn(PhaseEnv, seed, steps, {"rival": "phase_shift_rl", "source": "the twin's truth"})


def _dqn(make: Callable[[], gym.Env[Any, Any]], seed: int, steps: int, made: dict[str, Any]) -> QNetwork:
    import torch

    model = dqn(make(), seed)
    model.learn(steps)
    linear = [layer for layer in model.q_net.q_net if isinstance(layer, torch.nn.Linear)]
    layers = tuple((m.weight.detach().numpy().T.copy(), m.bias.detach().numpy().copy()) for m in linear)
    return QNetwork(layers, {**made, "seed": seed, "steps": steps, "dqn": DQN_SETTINGS})


def dqn(env: gym.Env[Any, Any], seed: int) -> DQN:
    """The learner of both rivals, before its first step.

    Raises:
        ImportError: PyTorch or stable-baselines3 is not installed.
    """
    import torch
    from stable_baselines3 import DQN

    from dasha_ros.learning.training.ppo import keep_no_log

    torch.set_num_threads(1)
    net = {"net_arch": list(HIDDEN)}
    learner = DQN("MlpPolicy", env, seed=seed, policy_kwargs=net, device="cpu", **DQN_SETTINGS)
    keep_no_log(learner)
    return learner


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the rivals' profile and networks into a folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True, help="folder of a percept cache")
    parser.add_argument("--split", type=int, default=0, help="whose training photographs count")
    parser.add_argument("--splits", type=int, default=3, help="how many splits there are")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=STEPS, help="of training a network")
    parser.add_argument("--out", type=Path, default=config_dir() / "peers")
    parser.add_argument("--only", choices=("contrast_profile", "ten_dqn", "phase_shift_rl"))
    options = parser.parse_args(arguments)
    try:
        cache = PerceptCache.open(options.cache)
        train = splits(cache.views, options.splits)[options.split].train.tolist()
    except (CacheError, ValueError, IndexError) as error:
        parser.error(str(error))
    source = f"{cache.meta.scene_set} {cache.meta.key}, split {options.split}"
    options.out.mkdir(parents=True, exist_ok=True)
    if options.only in {None, "contrast_profile"}:
        fit_contrast_profile(cache, train, source).save(options.out / "contrast_profile.json")
    if options.only in {None, "ten_dqn"}:
        network = train_ten(cache, train, options.seed, options.steps, source=source, split=options.split)
        network.save(options.out / "ten_dqn.npz")
    if options.only in {None, "phase_shift_rl"}:
        train_phase(options.seed, options.steps).save(options.out / "phase_shift_rl.npz")


if __name__ == "__main__":
    main()
