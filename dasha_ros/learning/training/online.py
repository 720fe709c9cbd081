"""Online learning: PPO in one environment whose episodes are real goals.

A run folder holds ``checkpoint.zip`` (learner and optimiser, after every update), ``policy.npz``
(the learned policy, ready to be deployed) and ``episodes.monitor.csv`` (return and length of every
episode). A run that is killed resumes from its last update and loses one rollout at most.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from dasha_ros.files.writing import replacing
from dasha_ros.learning.training.ppo import (
    keep_no_log,
    load_network,
    make_learner,
    network_of,
    says_diverged,
)
from dasha_ros.learning.training.preset_models import Ppo
from dasha_ros.policies.learned.policy_file import PolicyFile, PolicyFileError

ROLLOUT = 128
"""Steps between two updates, as in the paper (V)."""
POLICY = "policy.npz"
"""File of the learned policy, in the folder of a run."""


class DivergedError(Exception):
    """The learner's numbers are no longer finite. The last good checkpoint and policy stay."""


class CheckpointError(Exception):
    """A checkpoint that training can't resume from; the message says what to do."""


class NoMoreEpisodes(Exception):
    """Raised by an environment's ``reset`` when no further episode will come."""


def online_ppo(ppo: Ppo) -> Ppo:
    """The settings of a preset for one episode at a time, with an update every `ROLLOUT` steps."""
    batch = min(ppo.online_batch_size or ppo.batch_size, ROLLOUT)
    return ppo.model_copy(
        update={"n_envs": 1, "n_steps": ROLLOUT, "batch_size": batch, "final_learning_rate": None}
    )


def learn_online(
    env: gym.Env[Any, Any],
    ppo: Ppo,
    start: PolicyFile,
    folder: Path,
    *,
    fresh: bool = False,
    seed: int = 0,
    stop: threading.Event | None = None,
    on_update: Callable[[int, float], None] | None = None,
    on_policy: Callable[[PolicyFile], None] | None = None,
) -> int:
    """Learn until told to stop. Resumes from the folder's checkpoint, if there is one.

    Args:
        env: One agent's environment; its ``reset`` may wait, and raises `NoMoreEpisodes` at the end.
        ppo: Settings of the preset.
        start: The policy to start from; the environment uses its feature extractor.
        folder: Folder of the run.
        fresh: Begin with an untrained network instead of the policy's.
        seed: Seed of a new network and of the actions that are drawn.
        stop: Ends the run at the next step.
        on_update: Called after every update with the steps so far and the mean return of the last 100
            episodes.
        on_policy: Given what is learned so far, when a run goes on and after every update.

    Returns:
        Steps so far, over all sessions.

    Raises:
        DivergedError: The learner's numbers are no longer finite.
        CheckpointError: The folder's checkpoint is damaged or belongs to another agent.
        PolicyFileError: The policy can't be written.
        ValueError: The policy's network is not the preset's.
        OSError: The folder can't be written.
    """
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.monitor import Monitor

    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "checkpoint.zip"
    watched = Monitor(env, str(folder / "episodes"), override_existing=not checkpoint.exists())
    settings = online_ppo(ppo)
    if checkpoint.exists():
        learner = _resumed(checkpoint, watched)
    else:
        learner = make_learner(watched, settings, seed)
        if not fresh:
            load_network(learner, start.net)
    keep_no_log(learner)

    def tell(policy: PolicyFile) -> None:
        if on_policy is not None:
            on_policy(policy)

    class Watch(BaseCallback):
        """Stops when told to, and saves the policy after every update."""

        def _on_step(self) -> bool:
            return stop is None or not stop.is_set()

        def _on_rollout_start(self) -> None:
            # The first rollout of a session begins with the saved policy.
            if self.num_timesteps > begun_at:
                tell(_keep(learner, start, folder))
                if on_update is not None:
                    returns = [e["r"] for e in learner.ep_info_buffer or ()]
                    on_update(self.num_timesteps, float(np.mean(returns)) if returns else float("nan"))

    begun_at = learner.num_timesteps
    if begun_at:
        tell(_mended(learner, start, folder))
    try:
        learner.learn(2**62, callback=Watch(), reset_num_timesteps=False)
    except NoMoreEpisodes:
        pass
    except ValueError as error:
        if not says_diverged(error):
            raise
        raise _diverged(learner, folder) from error
    finally:
        watched.close()
    return int(learner.num_timesteps)


def _resumed(checkpoint: Path, env: gym.Env[Any, Any]) -> Any:
    import torch
    from stable_baselines3 import PPO

    # The checkpoint does not hold this. Perception needs the other cores.
    torch.set_num_threads(1)
    try:
        return PPO.load(checkpoint, env=env, device="cpu")
    except OSError:
        raise
    except Exception as error:  # Archive, pickle and tensors fail in different ways.
        raise CheckpointError(
            f"the checkpoint {checkpoint} is damaged or another agent's ({error}): delete it and begin anew, "
            f"from {checkpoint.with_name('policy.npz')} if you give that as the agent's learn_from"
        ) from error


def _diverged(learner: Any, folder: Path) -> DivergedError:
    return DivergedError(
        f"the learner in {folder} diverged after {learner.num_timesteps} steps: its last good policy is "
        "policy.npz; lower the preset's learning_rate, delete checkpoint.zip and begin anew"
    )


def _policy_of(learner: Any, start: PolicyFile) -> PolicyFile:
    made = {**start.info.made, "online_steps": int(learner.num_timesteps)}
    return PolicyFile(replace(start.info, made=made), network_of(learner), start.fitted)


def _mended(learner: Any, start: PolicyFile, folder: Path) -> PolicyFile:
    """The policy of a checkpoint, whose file is written again if it is lost or damaged."""
    policy = _policy_of(learner, start)
    try:
        PolicyFile.load(folder / POLICY, policy.info.agent)
    except PolicyFileError:
        policy.save(folder / POLICY)
    return policy


def _keep(learner: Any, start: PolicyFile, folder: Path) -> PolicyFile:
    policy = _policy_of(learner, start)
    if not all(np.isfinite(value).all() for value in policy.net.arrays().values()):
        raise _diverged(learner, folder)
    policy.save(folder / POLICY)
    # Last, so that a checkpoint always has its policy beside it.
    with replacing(folder / "checkpoint.zip", durable=True) as file:
        learner.save(file)
    return policy
