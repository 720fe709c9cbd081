"""Every time limit is longer than all its parts together."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from dasha_ros.config import FocusServerConfig
from dasha_ros.devices.camera import EXPOSURE_LIMITS_US
from dasha_ros.optics.exposure_table import T_MAX_US
from dasha_ros.system import shutdown_limits
from dasha_ros.system.shutdown_limits import exposure_shows_s

PACKAGE = Path(shutdown_limits.__file__).parents[1]

# Read off the code of each ending, call by call: what runs one after the other is a list.
INSIDE = {
    "AGENT_RESTORES_S": ["DRIVER_ANSWERS_S", "EXPOSURE_S", "EXPOSURE_S"],
    "AGENT_GOAL_ENDS_S": ["GOAL_NOTICES_S", "AGENT_RESTORES_S"],
    "SERVER_GOAL_ENDS_S": [
        "GOAL_NOTICES_S",
        "AGENT_GOAL_ENDS_S",  # the cancel of the agent's part
        "DRIVER_ANSWERS_S",  # the lens, and at the same time the exposure
        "EXPOSURE_S",
        "EXPOSURE_S",
        "PICTURE_S",
        "REPORT_S",
    ],
    "DRIVER_STOPS_S": ["DEVICE_CALL_S", "DRIVER_ANSWERS_S"],
    "TRAINER_STOPS_S": ["GOAL_NOTICES_S", "SERVER_GOAL_ENDS_S"],
    "STUCK_S": ["NODE_ENDS_S"],
    "PROCESS_ENDS_S": ["STUCK_S", "PYTHON_EXITS_S"],
    "LAUNCH_SIGTERM_S": ["STUCK_S", "PYTHON_EXITS_S"],
}
NODES = {
    "an agent": ["LEARNER_STOPS_S", "AGENT_GOAL_ENDS_S", "MESSAGE_ARRIVES_S", "CLEAN_UP_S"],
    "the focus server": ["SERVER_GOAL_ENDS_S", "MESSAGE_ARRIVES_S", "CLEAN_UP_S"],
    "a driver": ["DRIVER_STOPS_S", "MESSAGE_ARRIVES_S", "CLEAN_UP_S"],
    "the trainer": ["TRAINER_STOPS_S", "MESSAGE_ARRIVES_S", "CLEAN_UP_S"],
    "a node that loads": ["STILL_LOADS_S"],
}


def total(names: list[str]) -> float:
    return sum(getattr(shutdown_limits, name) for name in names)


@pytest.mark.parametrize("outer", INSIDE)
def test_every_wait_is_longer_than_its_parts(outer: str) -> None:
    assert total(INSIDE[outer]) <= getattr(shutdown_limits, outer) + 1e-9


@pytest.mark.parametrize("node", NODES)
def test_no_node_is_killed_during_a_proper_shutdown(node: str) -> None:
    assert total(NODES[node]) <= shutdown_limits.NODE_ENDS_S + 1e-9


def test_a_stuck_node_ends_itself_before_others_kill_it() -> None:
    assert shutdown_limits.NODE_ENDS_S < shutdown_limits.STUCK_S < shutdown_limits.PROCESS_ENDS_S


def test_an_agents_timeout_covers_the_end_of_its_goal() -> None:
    """This is the default timeout of the focus server; users may set a shorter one."""
    assert FocusServerConfig().agent_timeout_s > shutdown_limits.AGENT_GOAL_ENDS_S


def test_shutdown_waits_for_the_longest_exposure_of_agents() -> None:
    assert T_MAX_US / 1e6 <= shutdown_limits.EXPOSURE_S


def test_a_client_waits_until_the_longest_exposure_is_restored() -> None:
    longest_s = EXPOSURE_LIMITS_US[1] / 1e6
    granted_s = FocusServerConfig().agent_timeout_s
    inside = shutdown_limits.GOAL_NOTICES_S + granted_s + shutdown_limits.DRIVER_RESTARTS_S
    inside += 2 * longest_s + shutdown_limits.PICTURE_S + shutdown_limits.REPORT_S
    assert shutdown_limits.client_waits_s(granted_s, EXPOSURE_LIMITS_US[1]) == pytest.approx(inside)
    assert inside > shutdown_limits.SERVER_GOAL_ENDS_S


def test_a_wait_covers_the_exposure_except_at_shutdown() -> None:
    assert exposure_shows_s(4e6, 6e6) == shutdown_limits.DRIVER_ANSWERS_S + 10.0
    assert (
        exposure_shows_s(4e6, 6e6, longest_s=shutdown_limits.EXPOSURE_S) == shutdown_limits.AGENT_RESTORES_S
    )
    assert exposure_shows_s(5e5, longest_s=math.inf) == shutdown_limits.DRIVER_ANSWERS_S + 0.5


def test_every_limit_is_used() -> None:
    code = "\n".join(
        p.read_text() for p in [*PACKAGE.rglob("*.py"), PACKAGE.parent / "launch/dasha.launch.py"]
    )
    named = {name for name in vars(shutdown_limits) if name.endswith("_S")}
    assert named == {name for name in named if re.search(rf"\b{name}\b", code.replace(f"{name} =", ""))}


def test_shutdown_waits_use_the_named_limits() -> None:
    """Waits for a thread, a process or a goal to end name a limit."""
    own = [
        f"{path.relative_to(PACKAGE)}: {line.strip()}"
        for folder in ("ros", "nodes")
        for path in sorted((PACKAGE / folder).rglob("*.py"))
        for line in path.read_text().splitlines()
        if re.search(
            r"\.join\((timeout=)?(?!shutdown_limits\.)[\w.]+\)|_(STOP|END|RESTORES?|STUCK)_S\s*=", line
        )
        and not re.search(r"""["']\S?\s?\.join\(|\.join\(\w+\(""", line)
    ]
    assert own == []
