"""Learning over the graph: goals are episodes; a killed agent loses one episode and continues."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from graph import Graph

pytest.importorskip("torch", reason="torch is not installed: scripts/setup --torch installs it")
pytest.importorskip("stable_baselines3", reason="scripts/setup --torch installs stable-baselines3")

pytestmark = [pytest.mark.graph, pytest.mark.slow, pytest.mark.torch]

ENCODER = "efficientnet_lite0_grid"
"""The encoder of the shipped policies of the preset `plus`."""
UPDATE_S = 900.0
"""For 128 steps and what is learned from them; a step takes some seconds on a busy machine."""


def episodes(folder: Path) -> list[dict[str, str]]:
    """The finished episodes of a run."""
    file = folder / "episodes.monitor.csv"
    if not file.exists():
        return []
    rows = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    return list(csv.DictReader(rows))


def test_an_agent_learns_from_goals_and_survives_a_kill(bare_graph: Graph, tmp_path: Path) -> None:
    from dasha_ros import msg
    from dasha_ros.policies.learned.policy_file import PolicyFile
    from dasha_ros.ros.transport import qos

    graph, probe = bare_graph, bare_graph.probe
    learner = {"mode": "learn", "checkpoint_dir": tmp_path, "learn_fresh": True}
    rewards = probe.subscribe(msg.Reward, "reward", qos.REWARD)
    graph.start(
        "twin_world",
        "camera_driver",
        "lens_driver",
        "perception",
        "high_level_agent",
        "low_level_agent",
        "focus_server",
        perception={"encoder": ENCODER},
        low_level_agent=learner,
    )
    graph.until_active()
    graph.start("trainer", trainer={"task": "focus", "scenes": "[cat]", "distance_factor": 1.2})
    folder = tmp_path / "plus-focus"
    probe.until(lambda: len(episodes(folder)) >= 2, "the first episodes")
    for reward in list(rewards):
        assert reward.value == pytest.approx(sum(reward.term_values))
        assert set(reward.term_names) == {"detection", "quality", "move", "reversal", "defocus", "false_end"}
    persons_goals_pause_the_trainer(graph, folder)
    policy, checkpoint = folder / "policy.npz", folder / "checkpoint.zip"
    probe.until(checkpoint.exists, "the first update", UPDATE_S)
    assert PolicyFile.load(policy, "focus").info.made["online_steps"] == 128

    graph.kill("low_level_agent")
    before = len(episodes(folder))
    kept = checkpoint.read_bytes()
    graph.start("low_level_agent", low_level_agent=learner)
    graph.until_active("low_level_agent")
    probe.until(lambda: len(episodes(folder)) > before, "an episode after the restart")
    probe.until(lambda: checkpoint.read_bytes() != kept, "an update after the restart", UPDATE_S)
    assert PolicyFile.load(policy, "focus").info.made["online_steps"] == 256


def persons_goals_pause_the_trainer(graph: Graph, folder: Path) -> None:
    """The current policy serves each goal to its end without learning from it, and training goes on."""
    client = graph.client()
    for _ in range(3):
        result = client.run("cat")
        # In the light of the trainer's episode, and by what was learned so far: it may not find the cat.
        assert result.error_code < result.CAMERA_LOST, result.error_msg
    said = [state.message for state in client.states if not state.background]
    assert any("the trainer waits" in message for message in said), said
    before = len(episodes(folder))
    graph.probe.until(lambda: len(episodes(folder)) > before, "an episode after the goals")
