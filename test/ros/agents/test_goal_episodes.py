"""Goals as episodes: a step without a usable percept ends its own goal and no other."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="scripts/setup installs rclpy")
pytest.importorskip("gymnasium", reason="scripts/setup --torch installs gymnasium")
from synthetic_cache import synthetic_cache

from dasha_ros.learning.dataset.cache.rig import CachedRig
from dasha_ros.learning.envs.making import exposure_env
from dasha_ros.learning.training.online import NoMoreEpisodes
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.ros.agents.goal_episodes import EpisodeEnd, GoalEpisodes, GoalQueue


@pytest.fixture
def learner(tmp_path):
    """An environment whose episodes are goals, the queue of goals, and the reported rewards."""
    env = exposure_env("paper", rig="cached", cache=synthetic_cache(tmp_path / "c", planes=6).path, seed=0)
    placed, queue = env.episode_source, GoalQueue(lambda request: request, threading.Event())

    class Placing:
        def begin(self, rng):
            queue.begin(rng)
            return placed.begin(rng)

    env.episode_source = Placing()
    told = []
    episodes = GoalEpisodes(
        env, queue, "A^H", lambda run, step: told.append(step.reward.value), lambda *_: (ErrorCode.NONE, "")
    )
    return episodes, queue, told


def served(queue):
    """Send a goal; its end appears in the list."""
    ends = []
    goal = SimpleNamespace(request=None, interrupted=lambda: None, why="")
    thread = threading.Thread(target=lambda: ends.append(queue.serve(goal)), daemon=True)
    thread.start()
    return thread, ends


def test_a_percept_with_nan_ends_its_goal_and_the_next_one_begins(learner, monkeypatch):
    episodes, queue, told = learner
    thread, ends = served(queue)
    observation, _ = episodes.reset()
    expose = CachedRig.expose

    def broken(self, exposure_us):
        percept = expose(self, exposure_us)
        percept.latent[:] = np.nan
        return percept

    with monkeypatch.context() as patch:
        patch.setattr(CachedRig, "expose", broken)
        seen, reward, terminated, truncated, info = episodes.step(100)
    thread.join(5.0)
    assert (ends[0].code, ends[0].steps) == (ErrorCode.PERCEPT_INVALID, 1)
    assert (reward, terminated, truncated, info) == (0.0, False, True, {"lost": True})
    np.testing.assert_array_equal(seen, observation)
    assert not told, "nothing was learned of it"

    thread, ends = served(queue)
    episodes.reset()
    _, reward, terminated, _, _ = episodes.step(100)
    thread.join(5.0)
    assert terminated
    assert ends[0].code is ErrorCode.NONE
    assert told == [pytest.approx(reward)]


def test_a_first_percept_with_nan_ends_the_goal_before_its_episode(learner, monkeypatch):
    episodes, queue, _ = learner
    observe = CachedRig.observe
    broken = iter([True])

    def broken_once(self):
        percept = observe(self)
        if next(broken, False):
            percept.latent[:] = np.nan
        return percept

    monkeypatch.setattr(CachedRig, "observe", broken_once)
    first, ends = served(queue)
    waiting = threading.Thread(target=episodes.reset)
    waiting.start()
    first.join(5.0)
    assert (ends[0].code, ends[0].steps) == (ErrorCode.PERCEPT_INVALID, 0)
    second, _ = served(queue)
    waiting.join(5.0)
    assert not waiting.is_alive(), "the next goal's episode began"
    assert np.isfinite(episodes.step(100)[1])
    second.join(5.0)


@pytest.fixture
def queue():
    stop = threading.Event()
    queue = GoalQueue(lambda request: request, stop)
    queue.stop = stop
    return queue


def test_without_a_learner_every_goal_ends_until_a_new_learner_starts(queue):
    queue.abandon("it diverged")
    for _ in range(2):
        thread, ends = served(queue)
        thread.join(5.0)
        assert ends[0].code is ErrorCode.LEARNER_STOPPED
        assert ends[0].what == "the learner has stopped: it diverged"
    queue.open()
    thread, ends = served(queue)
    queue.begin(np.random.default_rng(0))
    queue.end(EpisodeEnd(ErrorCode.NONE, "", 1, None))
    thread.join(5.0)
    assert ends[0].code is ErrorCode.NONE


def test_a_learner_that_ends_during_a_goal_ends_the_goal(queue):
    thread, ends = served(queue)
    queue.begin(np.random.default_rng(0))
    queue.abandon("it diverged")
    thread.join(5.0)
    assert ends[0].code is ErrorCode.LEARNER_STOPPED


def test_a_goal_that_ended_with_its_node_is_not_played_by_the_next_learner(queue):
    queue.stop.set()
    thread, ends = served(queue)
    thread.join(5.0)
    assert ends[0].code is ErrorCode.SHUTDOWN
    with pytest.raises(NoMoreEpisodes):
        queue.begin(np.random.default_rng(0))
