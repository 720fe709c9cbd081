"""The learner beside an action server: activated repeatedly, or dead for good reasons."""

from __future__ import annotations

import threading
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="scripts/setup installs rclpy")
pytest.importorskip("gymnasium", reason="scripts/setup --torch installs gymnasium")
from analytic_rig import AnalyticRig
from chart import Chart
from ros_harness import PATIENCE_S

from dasha_ros.config import HighLevelAgentConfig, LowLevelAgentConfig
from dasha_ros.estimation.readout import GRID_SIZE
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.learned.policy_file import PolicyFile, shipped_policy
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import FocusTask
from dasha_ros.ros.agents import learning as module
from dasha_ros.ros.agents.goal_episodes import EpisodeEnd
from dasha_ros.ros.agents.learning import AgentLearning
from dasha_ros.ros.node.condition import Level


@pytest.fixture
def health():
    return Chart()


@pytest.fixture
def graph():
    """The part of a node that the learner uses."""
    return SimpleNamespace(alive=True)


@pytest.fixture
def learning(health, graph, tmp_path):
    rig = AnalyticRig()
    rig.lens_info = LensInfo.of(rig.lens)
    rig.node = SimpleNamespace(context=SimpleNamespace(ok=lambda: graph.alive))
    learning = AgentLearning(
        "focus",
        config=LowLevelAgentConfig(mode="learn", checkpoint_dir=str(tmp_path)),
        rig=rig,
        task_of=lambda request: request,
        report=lambda run, step: None,
        health=health,
    )
    yield learning
    learning.stop()


def goal(background=True):
    return SimpleNamespace(request=None, interrupted=lambda: None, why="", background=background)


@pytest.fixture
def learns(monkeypatch):
    """A learner that ends each goal with success."""

    def learn(env, *_, **__):
        while True:
            env._queue.begin(np.random.default_rng(0))
            env._queue.end(EpisodeEnd(ErrorCode.NONE, "", 1, None))

    monkeypatch.setattr(module, "learn_online", learn)


@pytest.fixture
def dies(monkeypatch):
    """A learner that fails at once."""

    def learn(*_, **__):
        raise OSError("no space is left")

    monkeypatch.setattr(module, "learn_online", learn)


LATENT = {"paper": 1280, "plus": GRID_SIZE}


class BrightRig(AnalyticRig):
    """Every picture earns +1 by Eq. 7 but is too bright for the criterion of `plus`."""

    def __init__(self, info):
        super().__init__()
        self._seen = {"encoder": info.encoder, "latent": np.zeros(LATENT[info.preset], np.float32)}

    def _look(self):
        return replace(super()._look(), histogram_peak=140.25, mean_grey=155.0, **self._seen)


@pytest.mark.parametrize(
    ("preset", "code"), [("paper", ErrorCode.NONE), ("plus", ErrorCode.EXPOSURE_NOT_REACHED)]
)
def test_goals_are_judged_by_the_rule_of_their_preset(preset, code, health, tmp_path, monkeypatch):
    """The paper's hand-over must not wait for a criterion of `plus`, or A^L would never start."""
    rig = BrightRig(PolicyFile.load(shipped_policy(preset, "exposure"), "exposure").info)
    rig.node = SimpleNamespace(context=SimpleNamespace(ok=lambda: True))
    learning = AgentLearning(
        "exposure",
        config=HighLevelAgentConfig(mode="learn", preset=preset, checkpoint_dir=str(tmp_path)),
        rig=rig,
        task_of=lambda request: FocusTask(rig.lens),
        report=lambda run, step: None,
        health=health,
    )

    def learn(env, *_, **__):
        env.reset()
        over = False
        while not over:
            _, _, terminated, truncated, _ = env.step(20)
            over = terminated or truncated

    monkeypatch.setattr(module, "learn_online", learn)
    learning.start()
    assert learning.play(goal()).code is code
    learning.stop()
    assert not health.logged


@pytest.mark.usefixtures("learns")
def test_it_can_be_activated_again(learning, health):
    for _ in range(2):
        learning.start()
        health.set_activity("waiting")
        assert health.status() == (Level.OK, "waiting")
        assert learning.play(goal()).code is ErrorCode.NONE
        learning.stop()
        assert learning.play(goal()).code is ErrorCode.SHUTDOWN
    assert not health.logged


@pytest.mark.usefixtures("dies")
def test_a_stopped_learner_is_reported_until_it_is_activated_again(learning, health, monkeypatch, request):
    learning.start()
    for _ in range(2):
        end = learning.play(goal())
        assert (end.code, end.what) == (
            ErrorCode.LEARNER_STOPPED,
            "the learner has stopped: no space is left",
        )
        health.set_activity("waiting for a goal")
        level, message = health.status()
        assert level == Level.ERROR
        assert "no space is left" in message
        assert "deactivate and activate this node" in message
    learning.stop()

    request.getfixturevalue("learns")
    learning.start()
    health.set_activity("waiting for a goal")
    assert health.status() == (Level.OK, "waiting for a goal")
    assert learning.play(goal()).code is ErrorCode.NONE


@pytest.mark.usefixtures("learns")
def test_two_graphs_do_not_learn_in_one_folder(learning, health, tmp_path):
    """They would overwrite each other's checkpoints."""
    learning.start()
    assert learning.play(goal()).code is ErrorCode.NONE
    other = AgentLearning(
        "focus",
        config=LowLevelAgentConfig(mode="learn", checkpoint_dir=str(tmp_path)),
        rig=learning._rig,
        task_of=lambda request: request,
        report=lambda run, step: None,
        health=health,
    )
    other.start()
    end = other.play(goal())
    assert end.code is ErrorCode.LEARNER_STOPPED
    assert "another node learns in" in end.what
    assert "stop the other graph, or start this one with a checkpoint_dir of its own" in end.what
    assert learning.play(goal()).code is ErrorCode.NONE
    learning.stop()
    other.start()
    assert other.play(goal()).code is ErrorCode.NONE
    other.stop()


@pytest.mark.usefixtures("dies")
def test_a_learner_ended_by_a_signal_is_not_a_failure(learning, health, graph):
    graph.alive = False
    learning.start()
    assert learning.play(goal()).code is ErrorCode.LEARNER_STOPPED
    learning.stop()
    assert not health.logged


@pytest.mark.usefixtures("learns")
def test_a_goal_that_is_not_for_learning_has_the_rig_alone(learning, tmp_path):
    learning.start()
    person = SimpleNamespace(interrupted=lambda: ErrorCode.CANCELED)
    with learning.paused(person):
        assert learning._rig.interrupted() is ErrorCode.CANCELED
    assert learning._rig.interrupted() is None
    shipped = shipped_policy("plus", "focus")
    assert learning.newest_policy() == shipped
    learned = tmp_path / "plus-focus" / "policy.npz"
    learned.parent.mkdir(exist_ok=True)
    learned.write_bytes(shipped.read_bytes())
    assert learning.newest_policy() == learned


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"PK"), lambda path: path.unlink()])
def test_a_persons_goal_survives_damage_to_the_learned_policy(
    learning, health, tmp_path, monkeypatch, damage
):
    shipped = PolicyFile.load(shipped_policy("plus", "focus"), "focus")
    learned = replace(shipped, info=replace(shipped.info, made={"online_steps": 128}))
    told = threading.Event()

    def learn(*_, on_policy, stop, **__):
        on_policy(learned)
        told.set()
        stop.wait()

    monkeypatch.setattr(module, "learn_online", learn)
    path = tmp_path / "plus-focus" / "policy.npz"
    learning.start()
    assert told.wait(PATIENCE_S)
    learned.save(path)
    damage(path)
    assert learning.newest_policy() == path
    assert PolicyFile.load(path, "focus").info.made == {"online_steps": 128}
    health.set_activity("waiting for a goal")
    assert health.status() == (Level.OK, "waiting for a goal")


def test_until_something_is_learned_a_damaged_policy_gives_way_to_the_one_that_learning_began_with(
    learning, health, tmp_path
):
    path = tmp_path / "plus-focus" / "policy.npz"
    path.parent.mkdir()
    path.write_bytes(shipped_policy("plus", "focus").read_bytes()[:-100])
    assert learning.newest_policy() == shipped_policy("plus", "focus")
    level, message = health.status()
    assert level == Level.WARN
    assert f"the policy {path}" in message
    assert "until the next update, goals are served by the policy" in message
    learning._on_policy(learning._start)
    health.set_activity("waiting for a goal")
    assert health.status() == (Level.OK, "waiting for a goal")


def test_nothing_is_kept_of_a_folder_that_was_emptied_while_the_node_was_inactive(learning, monkeypatch):
    monkeypatch.setattr(module, "learn_online", lambda *_, on_policy, **__: on_policy(learning._start))
    learning.start()
    learning.stop()
    monkeypatch.setattr(module, "learn_online", lambda *_, stop, **__: stop.wait())
    learning.start()
    assert learning.newest_policy() == shipped_policy("plus", "focus")


def test_no_second_learner_starts_while_the_first_one_works(learning, monkeypatch):
    working, done = threading.Event(), threading.Event()

    def learn(*_, **__):
        working.set()
        done.wait()

    monkeypatch.setattr(module, "learn_online", learn)
    monkeypatch.setattr(module.shutdown_limits, "LEARNER_STOPS_S", 0.0)
    learning.start()
    assert working.wait(PATIENCE_S)
    learning.stop()
    with pytest.raises(RuntimeError, match="activate again in a few seconds"):
        learning.start()
    assert learning.play(goal()).code is ErrorCode.SHUTDOWN, "the first one is still told to end"
    done.set()
    monkeypatch.setattr(module.shutdown_limits, "LEARNER_STOPS_S", PATIENCE_S)
    learning.stop()
    working.clear()
    learning.start()
    assert working.wait(PATIENCE_S)


@pytest.fixture
def agent(ros_env, tmp_path):
    """A^L that learns, in this process."""
    import rclpy

    from dasha_ros.nodes.low_level_agent import LowLevelAgent

    rclpy.init(
        args=["agent", "--ros-args", "-p", "mode:=learn", "-p", f"checkpoint_dir:={tmp_path}"],
    )
    node = LowLevelAgent()
    yield node
    assert node.end()
    node.destroy_node()
    rclpy.try_shutdown()


@pytest.mark.graph
@pytest.mark.usefixtures("dies")
def test_the_diagnostics_keep_reporting_that_the_learner_stopped(agent, monkeypatch):
    agent.trigger_configure()
    agent.rig.lens_info = LensInfo.of(lens_model())
    agent.trigger_activate()
    run = SimpleNamespace(request=agent.action.Goal(), interrupted=lambda: None, why="", background=True)
    for _ in range(2):
        assert agent._work(run).error_code == ErrorCode.LEARNER_STOPPED
        assert agent.health.status().level == Level.ERROR

    monkeypatch.setattr(module, "learn_online", lambda *_, stop, **__: stop.wait())
    agent.trigger_deactivate()
    agent.trigger_activate()
    assert agent.health.status().level == Level.OK
    agent.trigger_deactivate()
    agent.trigger_cleanup()
    assert agent.learning is None
    agent.trigger_configure()
    agent.trigger_activate()
    assert agent.health.status().level == Level.OK
