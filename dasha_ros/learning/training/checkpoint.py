"""Checkpoints from which a run goes on exactly as if it had never stopped.

A checkpoint holds the learner with its optimiser, and the state of every random generator, of all
episodes in progress, and of the watch. It is taken between two updates, when nothing else decides
how the run goes on.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dasha_ros.files.errors import FileError
from dasha_ros.files.regular import read_bytes
from dasha_ros.learning.training.run_folder import RunFolder, TrainingError

if TYPE_CHECKING:
    from stable_baselines3 import PPO

_MAGIC = b"dasha checkpoint 1\n"


@dataclass(frozen=True)
class Checkpoint:
    """Everything that decides how a run goes on."""

    learner: bytes
    """The learner, as stable-baselines3 saves it."""
    episodes: Any
    """The batch of episodes; see `BatchVecEnv.state`. ``None``: the environment keeps its own."""
    watch: dict[str, Any]
    """State of the watch: best score, evaluations."""
    generators: dict[str, Any]
    """State of the global random generators."""


def take(learner: PPO, watch: dict[str, Any]) -> Checkpoint:
    """A checkpoint of a learner between two updates."""
    import torch

    buffer = io.BytesIO()
    learner.save(buffer)
    env = learner.get_env()
    state = getattr(env, "state", None)
    return Checkpoint(
        learner=buffer.getvalue(),
        episodes=state() if callable(state) else None,
        watch=watch,
        generators={
            "python": random.getstate(),
            "numpy": np.random.get_state(),  # noqa: NPY002 - stable-baselines3 shuffles with this one
            "torch": torch.get_rng_state(),
        },
    )


_OTHER_VERSION = (
    "the checkpoint was written by another version of dasha_ros: begin the run anew, or go on with that "
    "version; the best policy so far stays in the run's folder"
)
MOST_BYTES = 2**31
"""Greatest size of a checkpoint [bytes]."""


def write(checkpoint: Checkpoint, folder: RunFolder) -> None:
    """Replace the run's checkpoint.

    Raises:
        TrainingError: The disk is full, or the folder can't be written; the last one stays.
    """
    body = pickle.dumps(checkpoint)
    folder.write(folder.checkpoint.name, _MAGIC + hashlib.sha256(body).digest() + body)


def read(path: Path) -> Checkpoint:
    """Read a checkpoint. Read only your own: like any pickle, a foreign one may run code.

    Raises:
        TrainingError: There is none, or it is damaged.
    """
    if not path.exists():
        raise TrainingError(f"{path.parent} holds no checkpoint yet: begin the run anew")
    try:
        content = read_bytes(path, MOST_BYTES)
    except FileError as error:
        raise TrainingError(f"the checkpoint {error}: begin the run anew") from error
    body = content[len(_MAGIC) + 32 :]
    if not content.startswith(_MAGIC) or hashlib.sha256(body).digest() != content[len(_MAGIC) :][:32]:
        raise TrainingError(
            f"the checkpoint {path} is damaged: delete it and begin the run anew "
            f"({path.parent / 'best.npz'} still holds the best policy so far, where there is one)"
        )
    try:
        found = pickle.loads(body)
    except Exception as error:  # a checkpoint of another version asks for what this one does not have
        raise TrainingError(f"{path} is no checkpoint of this version: begin the run anew") from error
    if not isinstance(found, Checkpoint):
        raise TrainingError(f"{path} is no checkpoint of this version: begin the run anew")
    return found


def resume(checkpoint: Checkpoint, env: Any, threads: int = 1) -> PPO:
    """A learner that goes on where the checkpoint was taken.

    Args:
        checkpoint: Checkpoint of a run with the same environment.
        env: The environment; its episodes are put back.
        threads: Number of PyTorch's threads.

    Raises:
        TrainingError: The checkpoint is of another environment or preset.
    """
    import torch
    from stable_baselines3 import PPO

    torch.set_num_threads(threads)
    try:
        # Restored episodes match the learner's last observation, so no reset is needed.
        learner = PPO.load(
            io.BytesIO(checkpoint.learner), env=env, device="cpu", force_reset=checkpoint.episodes is None
        )
    except ValueError as error:
        raise TrainingError(
            f"the checkpoint is of another environment ({error}): begin the run anew"
        ) from error
    if checkpoint.episodes is not None:
        try:
            env.restore(checkpoint.episodes)
        except Exception as error:  # Its episodes hold objects of the version that wrote them.
            raise TrainingError(_OTHER_VERSION) from error
    # Last, because loading draws from all of them.
    random.setstate(checkpoint.generators["python"])
    np.random.set_state(checkpoint.generators["numpy"])  # noqa: NPY002 - as above
    torch.set_rng_state(checkpoint.generators["torch"])
    return learner
