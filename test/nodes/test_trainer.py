"""The trainer without a graph: what ends an episode, what ends training, and what parameters change."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from itertools import islice
from types import SimpleNamespace

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from chart import Chart

from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.ros.goals.agent_client import AgentLostError
from dasha_ros.ros.node.condition import Level
from dasha_ros.twin.curriculum import Curriculum
from dasha_ros.twin.scene import load_scene

pytestmark = pytest.mark.graph

PATIENCE_S = 90.0


class Heard:
    """Waits for a sentence."""

    def __init__(self, told):
        self._told, self._changed = told, threading.Condition()

    def notify(self):
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, beginning, timeout_s):
        with self._changed:
            return self._changed.wait_for(
                lambda: any(message.startswith(beginning) for _, message in self._told.said), timeout_s
            )


class Told(Chart):
    """The trainer's diagnostics."""

    def __init__(self):
        super().__init__()
        self.said, self.done = [], threading.Event()
        self.heard = Heard(self)

    def set_activity(self, activity):
        super().set_activity(activity)
        self.said.append(("ok", activity))
        self.heard.notify()
        if activity == "done":
            self.done.set()

    def warn(self, cause, sentence):
        super().warn(cause, sentence)
        self.said.append(("warn", sentence))

    def error(self, cause, sentence):
        super().error(cause, sentence)
        self.said.append(("error", sentence))

    @property
    def counts(self):
        return Counter(self._counts)

    def of(self, level):
        return [message for said, message in self.said if said == level]


class Reset:
    """Keeps the worlds that were set, without waiting."""

    worlds: list

    def __init__(self, *_):
        Reset.worlds = []

    def set_world(self, world):
        self.worlds.append(world)

    def set_start(self, *_):
        pass

    def close(self):
        pass


class Agent:
    """Ends goals as the test says: a function of the goal's number raises or returns a code."""

    def __init__(self, *_, **__):
        self.goals = 0

    def run(self, goal, on_feedback, interrupted, timeout_s):
        self.goals += 1
        code = Agent.answer(self.goals, interrupted)
        return SimpleNamespace(error_code=code, error_msg=f"why it ended with {code}")

    def destroy(self):
        pass


@pytest.fixture
def trainer(ros_env, monkeypatch):
    import rclpy
    from rclpy.parameter import Parameter

    from dasha_ros.nodes import trainer as module

    for name, part in (("EpisodeReset", Reset), ("AgentClient", Agent), ("_PAUSE_S", 0.0)):
        monkeypatch.setattr(module, name, part)
    monkeypatch.setattr(Agent, "answer", lambda *_: 0, raising=False)
    rclpy.init(args=["trainer", "--ros-args", "-p", "scenes:=[cat, cup_street]"])
    node = module.Trainer()
    node.health = Told()

    def change(**values):
        for name, value in values.items():
            (answer,) = node.set_parameters([Parameter(name, value=value)])
            assert answer.successful, answer.reason

    node.change = change
    assert succeeds(node.trigger_configure())
    node._actuators.lens_info = LensInfo.of(lens_model())
    yield node
    assert node.end()
    node.destroy_node()
    rclpy.try_shutdown()


def succeeds(transition):
    return transition.name == "SUCCESS"


def answers(monkeypatch, answer):
    monkeypatch.setattr(Agent, "answer", staticmethod(answer))


def trained(trainer, episodes):
    """The worlds of this many episodes."""
    trainer.change(episodes=episodes)
    assert succeeds(trainer.trigger_activate())
    assert trainer.health.done.wait(PATIENCE_S), trainer.health.said
    return Reset.worlds


def worlds_of(number, **ranges):
    scenes = {name: load_scene(name) for name in ("cat", "cup_street")}
    draws = Curriculum(scenes, exposure_table(), (24.0, 70.0), **ranges)
    return [episode.world for episode in islice(draws, number)]


def test_whatever_ends_an_episode_the_training_goes_on_and_reports_it(trainer, monkeypatch):
    trouble = {1: RuntimeError("the middleware is full"), 3: AgentLostError("focus_server is gone")}

    def answer(goal, interrupted):
        if goal in trouble:
            raise trouble[goal]
        return 999 if goal == 2 else int(ErrorCode.OBJECT_NOT_FOUND)

    answers(monkeypatch, answer)
    assert len(trained(trainer, 2)) == 5
    told = trainer.health
    first, second = told.of("error")
    assert "RuntimeError: the middleware is full" in first
    assert "999 is not a valid ErrorCode" in second
    assert "see `dasha doctor`" in second
    assert told.of("warn") == ["episode lost: focus_server is gone"]
    assert told.counts == {
        "failed_episodes": 2,
        "lost_episodes": 1,
        "episodes": 2,
        "ended_object_not_found": 2,
    }
    assert told.status() == (Level.OK, "done")


def test_while_the_graph_does_not_work_the_trainer_asks_less_and_less_often(trainer, monkeypatch):
    """A learner that has stopped ends each goal at once."""
    module = sys.modules[type(trainer).__module__]
    monkeypatch.setattr(module, "_PAUSE_S", 1.0)
    pauses = []
    monkeypatch.setattr(trainer._stop, "wait", pauses.append)
    fails = {*range(1, 9), 10, 12}

    def answer(goal, interrupted):
        return int(ErrorCode.LEARNER_STOPPED if goal in fails else ErrorCode.NONE)

    answers(monkeypatch, answer)
    trained(trainer, 3)
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 1.0, 1.0]
    told = trainer.health
    assert told.of("warn") == ["episode lost: why it ended with 309"] * len(fails)
    assert (told.counts["lost_episodes"], told.counts["episodes"]) == (len(fails), 3)


@pytest.mark.parametrize("ends", ["cancelled", "lost", "broken"])
def test_an_interrupted_training_is_neither_done_nor_failed(ends, trainer, monkeypatch):
    begun = threading.Event()

    def answer(goal, interrupted):
        begun.set()
        while interrupted() is None:
            pass
        if ends == "lost":
            raise AgentLostError("focus_server did not answer")
        if ends == "broken":
            raise RuntimeError("the context is gone")
        return int(ErrorCode.CANCELED)

    answers(monkeypatch, answer)
    assert succeeds(trainer.trigger_activate())
    assert begun.wait(PATIENCE_S)
    assert succeeds(trainer.trigger_deactivate())
    told = trainer.health
    assert not told.done.is_set()
    assert told.of("error") == []
    assert told.of("warn") == []
    assert not told.counts["failed_episodes"] + told.counts["lost_episodes"]


def test_changed_ranges_apply_from_the_next_goal_on(trainer, monkeypatch):
    def answer(goal, interrupted):
        if goal == 2:
            trainer.change(max_steps=7)
        if goal == 4:
            trainer.change(illuminance_max_lx=60.0, illuminance_min_lx=50.0)
            trainer.change(distance_factor=2.0, episodes_per_world=2)
        return 0

    answers(monkeypatch, answer)
    worlds = trained(trainer, 8)
    assert worlds[:4] == worlds_of(4), "what changes no world draws none anew"
    assert worlds[4:] == worlds_of(4, illuminance_lx=(50.0, 60.0), distance_factor=2.0, episodes_per_world=2)


def test_after_a_pause_the_draws_continue(trainer):
    trained(trainer, 2)
    assert succeeds(trainer.trigger_deactivate())
    trainer.health.done.clear()
    assert trained(trainer, 2) == worlds_of(4)


def test_no_second_training_starts_while_the_last_goal_is_in_progress(trainer, monkeypatch):
    from dasha_ros.nodes import trainer as module

    begun, end = threading.Event(), threading.Event()

    def answer(goal, interrupted):
        begun.set()
        end.wait()
        return 0

    answers(monkeypatch, answer)
    with monkeypatch.context() as patch:
        patch.setattr(module.shutdown_limits, "TRAINER_STOPS_S", 0.0)
        assert succeeds(trainer.trigger_activate())
        assert begun.wait(PATIENCE_S)
        assert succeeds(trainer.trigger_deactivate())
        assert not succeeds(trainer.trigger_activate())
    assert "activate again in a few seconds" in trainer.health.of("error")[0]
    assert len(Reset.worlds) == 1
    end.set()


def held(trainer, hold):
    from std_srvs.srv import SetBool

    return trainer._turns._on_hold(SetBool.Request(data=hold), SetBool.Response()).success


def test_a_paused_trainer_finishes_its_episode_and_continues_when_released(trainer, monkeypatch):
    """After its answer the trainer changes neither the world nor the actuators."""
    begun, preempt = threading.Event(), threading.Event()

    def answer(goal, interrupted):
        begun.set()
        assert preempt.wait(PATIENCE_S)
        return int(ErrorCode.PREEMPTED) if goal == 1 else 0

    answers(monkeypatch, answer)
    monkeypatch.setattr(trainer, "count_publishers", lambda topic: 1)
    trainer.change(episodes=2)
    assert succeeds(trainer.trigger_activate())
    assert begun.wait(PATIENCE_S)
    answered = []
    holding = threading.Thread(target=lambda: answered.append(held(trainer, True)))
    holding.start()
    assert holding.is_alive(), "its goal is still at work"
    preempt.set()
    holding.join(PATIENCE_S)
    assert answered == [True]
    assert len(Reset.worlds) == 1
    assert trainer.health.heard.wait_for("paused: focus_server serves a goal", PATIENCE_S)
    assert len(Reset.worlds) == 1
    assert held(trainer, False)
    assert trainer.health.done.wait(PATIENCE_S)
    assert len(Reset.worlds) == 3, "what was broken off does not count as an episode"
    assert trainer.health.counts["pauses"] == 1


@pytest.mark.parametrize("ends", ["ended", "gone", "anew"])
def test_a_trainer_that_starts_during_a_persons_goal_waits_for_its_end(ends, trainer, monkeypatch):
    from dasha_ros import msg

    servers = [1]
    monkeypatch.setattr(trainer, "count_publishers", lambda topic: servers[0])
    turns = trainer._turns
    turns._on_state(msg.FocusState(state=msg.FocusState.EXPOSING, labels=["cat"], background=True))
    assert not turns.reason, "the trainer's own goals are in the background"
    turns._on_state(msg.FocusState(state=msg.FocusState.FOCUSING, labels=["cat"]))
    assert "(cat)" in turns.reason
    trainer.change(episodes=1)
    assert succeeds(trainer.trigger_activate())
    assert trainer.health.heard.wait_for("paused", PATIENCE_S)
    assert not Reset.worlds
    if ends == "gone":
        servers[0] = 0
    else:
        over = msg.FocusState.FOCUSED if ends == "ended" else msg.FocusState.IDLE
        turns._on_state(msg.FocusState(state=over))
    assert trainer.health.done.wait(PATIENCE_S)


def test_its_goals_are_in_the_background(trainer):
    from dasha_ros.twin.curriculum import Episode
    from dasha_ros.twin.world import World

    assert trainer._goal(Episode(World(), "cat", 1e4, 40.0)).background
