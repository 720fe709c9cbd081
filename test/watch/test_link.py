"""The page's connection to a graph."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.watch.feed import Feed
from dasha_ros.watch.link import GraphLink
from dasha_ros.watch.orders import GoalOrder, OrderError, parse_order

pytestmark = pytest.mark.graph


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ('{"do":"goal","labels":["per\\u0000son"]}', "holds the character 0"),
        ('{"do":"goal","max_brisque":1e300}', "max_brisque is too large to be sent"),
        ('{"do":"goal","min_score":1e-300}', "min_score = 1e-300 is too small to be sent"),
    ],
)
def test_a_goal_that_the_client_refuses_is_refused_with_its_reason(
    ros_env: Mapping[str, str], order: str, words: str
) -> None:
    goal = parse_order(order)
    assert isinstance(goal, GoalOrder)
    with closing(GraphLink("/dasha", Feed())) as link, pytest.raises(OrderError, match=words):
        link.send(goal)
