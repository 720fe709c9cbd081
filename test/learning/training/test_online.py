"""Learning online, without any camera: it goes on where it was, and whatever ends it says so."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")
import gymnasium as gym

from dasha_ros.learning.training.online import CheckpointError, DivergedError, NoMoreEpisodes, learn_online
from dasha_ros.learning.training.preset_models import Ppo
from dasha_ros.policies.learned.network import Mlp, PolicyNet
from dasha_ros.policies.learned.policy_file import PolicyFile, PolicyFileError, PolicyInfo

pytestmark = pytest.mark.torch

PPO = Ppo(n_epochs=1, hidden=(4,))


class Guess(gym.Env):
    """The one of two that the observation names is worth a point. Over after so many episodes."""

    observation_space = gym.spaces.Box(-1.0, 1.0, (1,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, episodes=40, scale=1.0):
        self.left, self.scale = episodes, scale

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if self.left == 0:
            raise NoMoreEpisodes
        self.left -= 1
        self.steps = 0
        return self._look(), {}

    def step(self, action):
        self.steps += 1
        reward = self.scale * float((self.seen > 0) == (action == 1))
        return self._look(), reward, False, self.steps == 8, {}

    def _look(self):
        self.seen = float(self.np_random.choice((-1.0, 1.0)))
        return np.array([self.seen], np.float32)


def start():
    random = np.random.default_rng(0)

    def mlp(outputs):
        sizes = ((1, 4), (4, outputs))
        return Mlp(
            tuple(random.normal(size=size).astype(np.float32) for size in sizes),
            tuple(np.zeros(size[1], np.float32) for size in sizes),
        )

    info = PolicyInfo("focus", "guess", "latent", "none", "none", "", (2,), 1)
    return PolicyFile(info, PolicyNet(mlp(2), mlp(1), (2,)), {"latent_size": np.array(1)})


def steps_of(folder):
    return PolicyFile.load(folder / "policy.npz", "focus").info.made["online_steps"]


def test_it_keeps_every_update_and_goes_on_from_the_last(tmp_path):
    updates = []
    for episodes, expected in ((40, [128, 256]), (17, [128, 256, 384])):
        learn_online(
            Guess(episodes), PPO, start(), tmp_path, on_update=lambda steps, mean: updates.append(steps)
        )
        assert updates == expected
        assert steps_of(tmp_path) == expected[-1]


def test_policy_and_checkpoint_are_on_the_disk_before_they_take_the_place_of_older_ones(
    tmp_path, monkeypatch
):
    """A power failure may lose what was never synced, and rename all the same."""
    done, replace = [], os.replace
    monkeypatch.setattr(os, "fsync", lambda _: done.append("synced"))
    monkeypatch.setattr(os, "replace", lambda a, b: (done.append(Path(b).name), replace(a, b)))
    learn_online(Guess(20), PPO, start(), tmp_path)
    assert done == ["synced", "policy.npz", "synced", "checkpoint.zip"]


def test_a_sitting_takes_one_core_and_leaves_no_folder_behind(tmp_path, monkeypatch):
    import torch

    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.delenv("SB3_LOGDIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    threads = []
    for episodes in (20, 20):  # the second one goes on from the first one's checkpoint
        torch.set_num_threads(2)  # what a process of its own begins with
        learn_online(
            Guess(episodes),
            PPO,
            start(),
            tmp_path / "run",
            on_update=lambda steps, mean: threads.append(torch.get_num_threads()),
        )
    assert threads == [1, 1]
    assert not list(temporary.iterdir())


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_learner_that_diverges_leaves_its_last_good_policy(tmp_path):
    learn_online(Guess(20), PPO, start(), tmp_path)
    kept = (tmp_path / "policy.npz").read_bytes()
    with pytest.raises(DivergedError, match=r"diverged after \d+ steps: its last good policy is policy\.npz"):
        learn_online(Guess(80, scale=float("inf")), PPO, start(), tmp_path)
    assert (tmp_path / "policy.npz").read_bytes() == kept
    learn_online(Guess(17), PPO, start(), tmp_path)
    assert steps_of(tmp_path) == 256


@pytest.mark.parametrize("content", [b"", b"no archive at all", "cut"])
def test_a_checkpoint_that_is_none_is_refused(content, tmp_path):
    learn_online(Guess(20), PPO, start(), tmp_path)
    checkpoint = tmp_path / "checkpoint.zip"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-200] if content == "cut" else content)
    with pytest.raises(CheckpointError, match=r"damaged or another agent's.*delete it and begin anew"):
        learn_online(Guess(), PPO, start(), tmp_path)


@pytest.mark.parametrize("content", [None, b"", "cut"])
def test_a_policy_that_was_lost_is_written_again_from_its_checkpoint(content, tmp_path):
    learn_online(Guess(20), PPO, start(), tmp_path)
    file, told = tmp_path / "policy.npz", []
    kept = PolicyFile.load(file, "focus")
    if content is None:
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-100] if content == "cut" else content)
    learn_online(Guess(0), PPO, start(), tmp_path, on_policy=told.append)
    for policy in (PolicyFile.load(file, "focus"), *told):
        assert policy.info == kept.info
        for name, array in kept.net.arrays().items():
            np.testing.assert_array_equal(policy.net.arrays()[name], array)
    assert len(told) == 1


def test_a_full_disk_leaves_the_last_checkpoint_with_its_policy(tmp_path, monkeypatch):
    learn_online(Guess(20), PPO, start(), tmp_path)
    kept = {name: (tmp_path / name).read_bytes() for name in ("policy.npz", "checkpoint.zip")}

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez_compressed", full)
        with pytest.raises(PolicyFileError, match=r"disk .* is full"):
            learn_online(Guess(40), PPO, start(), tmp_path)
    for name, content in kept.items():
        assert (tmp_path / name).read_bytes() == content
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises((OSError, PolicyFileError), match=r"No space left|disk .* is full"):
            learn_online(Guess(40), PPO, start(), tmp_path)
    assert (tmp_path / "checkpoint.zip").read_bytes() == kept["checkpoint.zip"]
    learn_online(Guess(17), PPO, start(), tmp_path)
    assert steps_of(tmp_path) == 256
