"""Learning while the camera works: PPO over one environment whose episodes are real goals.

A run folder holds ``checkpoint.zip`` (learner and optimiser, after every update), ``policy.npz``
(what was learned, to be deployed) and ``episodes.monitor.csv`` (return and length of every
episode). A run that is killed goes on from its last update; what it loses is one rollout.
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
from dasha_ros.learning.training.divergence import says_diverged
from dasha_ros.learning.training.ppo import load_network, make_learner, network_of
from dasha_ros.learning.training.presets import Ppo
from dasha_ros.policies.learned.policy_file import PolicyFile

ROLLOUT = 128
"""Steps between two updates, as in the paper (V)."""
POLICY = "policy.npz"
"""What was learned, in the folder of a run."""


class DivergedError(Exception):
    """The learner's numbers are not finite any more. The last good checkpoint and policy stay."""


class CheckpointError(Exception):
    """A checkpoint that can't be gone on from; the message says what to do."""


class NoMoreEpisodes(Exception):
    """Raised by an environment's ``reset`` when there will be no further episode."""


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
) -> int:
    """Learn until told to stop. Goes on from the folder's checkpoint, if there is one.

    Args:
        env: One agent's environment; its ``reset`` may wait, and raises `NoMoreEpisodes` at the end.
        ppo: Settings of the preset.
        start: The policy to go on from; its reader is what the environment reads with.
        folder: Of the run.
        fresh: Begin with a network that knows nothing, instead of the policy's.
        seed: Of a new network and of the actions that are drawn.
        stop: Ends the run at the next step.
        on_update: Told after every update: steps so far, mean return of the last 100 episodes.

    Returns:
        Steps so far, over all sittings.

    Raises:
        DivergedError: The learner's numbers are not finite any more.
        CheckpointError: The folder's checkpoint is damaged, or another agent's.
        PolicyFileError: The policy can't be written.
        ValueError: The policy's network is not the preset's.
        OSError: The folder can't be written.
    """
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.logger import Logger
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
    # Its own logger makes a folder among the temporary files at every sitting, for nothing.
    learner.set_logger(Logger(None, []))

    class Watch(BaseCallback):
        """Stops when told to, and keeps what was learned after every update."""

        def _on_step(self) -> bool:
            return stop is None or not stop.is_set()

        def _on_rollout_start(self) -> None:
            # The first rollout of a sitting begins with what was kept already.
            if self.num_timesteps > begun_at:
                _keep(learner, start, folder)
                if on_update is not None:
                    returns = [e["r"] for e in learner.ep_info_buffer or ()]
                    on_update(self.num_timesteps, float(np.mean(returns)) if returns else float("nan"))

    begun_at = learner.num_timesteps
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

    # Not kept in the checkpoint: perception needs the other cores, after a restart as before it.
    torch.set_num_threads(1)
    try:
        return PPO.load(checkpoint, env=env, device="cpu")
    except OSError:
        raise
    except Exception as error:  # Archive, pickle and tensors each have their own way of being damaged.
        raise CheckpointError(
            f"the checkpoint {checkpoint} is damaged or another agent's ({error}): delete it and begin anew, "
            f"from {checkpoint.with_name('policy.npz')} if you give that as the agent's learn_from"
        ) from error


def _diverged(learner: Any, folder: Path) -> DivergedError:
    return DivergedError(
        f"the learner in {folder} diverged after {learner.num_timesteps} steps: its last good policy is "
        "policy.npz; lower the preset's learning_rate, delete checkpoint.zip and begin anew"
    )


def _keep(learner: Any, start: PolicyFile, folder: Path) -> None:
    net = network_of(learner)
    if not all(np.isfinite(value).all() for value in net.arrays().values()):
        raise _diverged(learner, folder)
    made = {**start.info.made, "online_steps": int(learner.num_timesteps)}
    PolicyFile(replace(start.info, made=made), net, start.reader).save(folder / POLICY)
    # Last: a checkpoint always has its policy beside it.
    with replacing(folder / "checkpoint.zip") as file:
        learner.save(file)
