"""Arguments of a goal are refused with the reason if they can't be sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.client import DeadlineError, FocusClient, NoServerError

pytestmark = pytest.mark.graph


@pytest.fixture
def client(ros_env: Any) -> Iterator[FocusClient]:
    with FocusClient(restore_timeout=1.0, server_timeout=1.0) as client:
        yield client


@pytest.mark.parametrize(
    ("goal", "error", "words"),
    [
        ({"max_steps": 2.5}, TypeError, "max_steps is a whole number, not 2.5"),
        ({"max_steps": None}, TypeError, "max_steps is a whole number, not None"),
        ({"max_steps": -1}, ValueError, "max_steps = -1 is not in 0..4294967295"),
        ({"max_steps": 2**33}, ValueError, "is not in 0..4294967295"),
        ({"timeout": float("nan")}, ValueError, "timeout = nan is no time to wait"),
        ({"timeout": -1}, ValueError, "timeout = -1 is no time to wait"),
        ({"timeout": "soon"}, TypeError, "timeout is a number of seconds or None, not 'soon'"),
        ({"labels": [1]}, TypeError, "a label is a text, not 1"),
        ({"labels": ["person", None]}, TypeError, "a label is a text, not None"),
        ({"labels": "per\udcffson"}, ValueError, "half a character"),
        ({"labels": "person\0 or a cup"}, ValueError, "holds the character 0"),
        ({"labels": None}, TypeError, "labels are texts, not None"),
        ({"labels": b"person"}, TypeError, "a label is a text, not b'person'"),
        ({"region": None}, TypeError, "a region has four numbers (x_min, y_min, x_max, y_max), not None"),
        (
            {"region": (0.0, 0.0, 1.0)},
            ValueError,
            "a region has four numbers (x_min, y_min, x_max, y_max), not 3",
        ),
        ({"region": (0.0, 0.0, "right", 1.0)}, TypeError, "x_max of the region is a number, not 'right'"),
        (
            {"region": (0.0, 0.0, 1e-50, 1.0)},
            ValueError,
            "x_max of the region = 1e-50 is too small to be sent",
        ),
        ({"min_score": None}, TypeError, "min_score is a number, not None"),
        ({"min_score": 1e-50}, ValueError, "min_score = 1e-50 is too small to be sent"),
        ({"max_brisque": 1e300}, ValueError, "max_brisque is too large to be sent: 1e+300"),
        ({"max_seconds": "10 s"}, TypeError, "max_seconds is a number, not '10 s'"),
        ({"max_distance_m": 10**400}, ValueError, "max_distance_m is too large to be sent: 1000"),
    ],
)
def test_what_can_not_be_sent_is_refused_with_the_reason(
    client: FocusClient, goal: Any, error: Any, words: str
) -> None:
    with pytest.raises(error, match=re.escape(words)):
        client.start(**goal)


@pytest.mark.parametrize("name", ["server_timeout", "restore_timeout"])
def test_a_client_that_could_never_give_up_is_refused(ros_env: Any, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} = nan is no time to wait"):
        FocusClient(**{name: float("nan")})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"node": "/left"}, "node is a node of rclpy, not '/left': write namespace='/left'"),
        ({"node": 42}, "node is a node of rclpy, not 42"),
        ({"namespace": None}, "namespace is a text, as in '/dasha', not None"),
    ],
)
def test_a_client_of_what_is_no_node_or_no_namespace_is_refused(
    ros_env: Any, arguments: Any, words: str
) -> None:
    with pytest.raises(TypeError, match=re.escape(words)):
        FocusClient(**arguments)


def test_a_deadline_that_no_server_met_says_what_to_do(client: FocusClient) -> None:
    with pytest.raises(
        DeadlineError, match="no focus server in the namespace /dasha accepted the goal in time"
    ):
        client.focus("cat", timeout=0.1)


def test_a_wait_longer_than_python_can_wait_lasts_until_the_end(client: FocusClient) -> None:
    with pytest.raises(NoServerError):
        client.start("cat", timeout=1e300).wait(1e300)


def test_a_wait_of_no_number_ends_before_the_goal(client: FocusClient) -> None:
    with pytest.raises(TimeoutError):
        client.start("cat").wait(float("nan"))


def test_numbers_and_flags_of_numpy_are_sent(client: FocusClient) -> None:
    """There is no server, so that they are sent nowhere; unconverted ones end the process."""
    goal = client.start("cat", max_steps=np.int64(20), hold=np.bool_(False), any_object=1)
    assert goal.order.goal.max_steps == 20
    assert goal.order.goal.any_object is True
    goal.abandon()
    goal = client.start(name for name in ("cat", "dog"))
    assert goal.order.goal.labels == ["cat", "dog"]
    goal.abandon()
