"""Sets up PPO of stable-baselines3 from a preset, and extracts its network for numpy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dasha_ros.learning.training.preset_models import Ppo
from dasha_ros.policies.learned.network import Mlp, PolicyNet

if TYPE_CHECKING:
    from gymnasium import Env
    from stable_baselines3 import PPO
    from stable_baselines3.common.base_class import BaseAlgorithm
    from stable_baselines3.common.vec_env import VecEnv


def make_learner(
    env: VecEnv | Env[Any, Any], ppo: Ppo, seed: int, tensorboard: Path | None = None, threads: int = 1
) -> PPO:
    """A new learner.

    Args:
        env: Environment with ``ppo.n_envs`` episodes.
        ppo: Settings.
        seed: Seed of the network's first weights and of the actions that are drawn.
        tensorboard: Folder for curves; left out: none are written.
        threads: Number of PyTorch's threads. One is the fastest for networks this small, and makes the
            curve independent of the machine's cores.
    """
    import torch
    from stable_baselines3 import PPO

    torch.set_num_threads(threads)
    learner = PPO(
        "MlpPolicy",
        env,
        n_steps=ppo.n_steps,
        batch_size=ppo.batch_size,
        n_epochs=ppo.n_epochs,
        learning_rate=learning_rate(ppo),
        ent_coef=ppo.ent_coef,
        clip_range=ppo.clip_range,
        gamma=ppo.gamma,
        gae_lambda=ppo.gae_lambda,
        vf_coef=ppo.vf_coef,
        max_grad_norm=ppo.max_grad_norm,
        policy_kwargs={"net_arch": list(ppo.hidden), "activation_fn": torch.nn.Tanh},
        seed=seed,
        device="cpu",
        tensorboard_log=str(tensorboard) if tensorboard else None,
    )
    if tensorboard is None:
        keep_no_log(learner)
    return learner


def keep_no_log(learner: BaseAlgorithm) -> None:
    """Give a learner a logger that writes nothing; the default one leaves an empty temporary folder."""
    from stable_baselines3.common.logger import Logger

    learner.set_logger(Logger(None, []))


def learning_rate(ppo: Ppo) -> float | Callable[[float], float]:
    """The learning rate, or a function that returns it for the share of training that is left."""
    if ppo.final_learning_rate is None:
        return ppo.learning_rate
    first, last = ppo.learning_rate, ppo.final_learning_rate
    return lambda left: last + (first - last) * left


def network_of(learner: PPO) -> PolicyNet:
    """A learner's network, without PyTorch.

    Raises:
        ValueError: The learner's network is not of the kind that `make_learner` makes.
    """
    policy = learner.policy
    extractor = policy.mlp_extractor
    actor = _layers(extractor.policy_net, policy.action_net)
    critic = _layers(extractor.value_net, policy.value_net)
    space = learner.action_space
    nvec = tuple(int(n) for n in np.atleast_1d(getattr(space, "nvec", getattr(space, "n", 0))))
    return PolicyNet(actor, critic, nvec)


def load_network(learner: PPO, net: PolicyNet) -> None:
    """Copy a network into a learner, to continue training it.

    Raises:
        ValueError: It has other layers than the learner's.
    """
    import torch

    policy = learner.policy
    extractor = policy.mlp_extractor
    for hidden, last, mlp in (
        (extractor.policy_net, policy.action_net, net.actor),
        (extractor.value_net, policy.value_net, net.critic),
    ):
        layers = [*_linear(hidden), last]
        shapes = [(layer.in_features, layer.out_features) for layer in layers]
        if shapes != [weight.shape for weight in mlp.weights]:
            raise ValueError(
                f"the policy's layers {[w.shape for w in mlp.weights]} are not those of the preset {shapes}: "
                "go on with the preset that it was trained with"
            )
        with torch.no_grad():
            for layer, weight, bias in zip(layers, mlp.weights, mlp.biases, strict=True):
                layer.weight.copy_(torch.from_numpy(weight.T.copy()))
                layer.bias.copy_(torch.from_numpy(bias.copy()))


def _linear(sequence: Any) -> list[Any]:
    return [layer for layer in sequence if hasattr(layer, "in_features")]


def _layers(hidden: Any, last: Any) -> Mlp:
    layers = [*_linear(hidden), last]
    if any(type(layer).__name__ not in ("Linear", "Tanh") for layer in hidden):
        raise ValueError("only networks of linear layers and tanh can be exported")
    return Mlp(
        tuple(layer.weight.detach().cpu().numpy().T.copy() for layer in layers),
        tuple(layer.bias.detach().cpu().numpy().copy() for layer in layers),
    )


def says_diverged(error: ValueError) -> bool:
    """Whether PyTorch refused to draw an action because the network's outputs are not finite."""
    return "to satisfy the constraint" in str(error)
