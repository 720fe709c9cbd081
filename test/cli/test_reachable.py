"""What ``dasha doctor`` finds in a graph with a stranger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ros_harness import Probe

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros import msg
from dasha_ros.cli.graph.reachable import Reached, strangers_of
from dasha_ros.ros.transport import qos
from dasha_ros.ros.validation.publishers import publishers_of

pytestmark = pytest.mark.graph


LENS = "/dasha/lens_driver"


@pytest.fixture
def speak(probe: Probe) -> Iterator[Callable[[str], None]]:
    """Makes nodes of the graph's namespace that publish the lens's state."""
    import rclpy

    made: list[Any] = []

    def make(name: str) -> None:
        node = rclpy.create_node(name, namespace="/dasha", context=probe.context, enable_rosout=False)
        made.append(node)
        node.create_publisher(msg.LensState, "lens/state", qos.STATE)

    yield make
    for node in made:
        node.destroy_node()


def found(probe: Probe, publishers: int) -> tuple[str, ...]:
    probe.until(
        lambda: len(publishers_of(probe.node, "lens/state")) == publishers, f"{publishers} publishers"
    )
    return strangers_of(probe.node, {LENS})


def test_a_graph_on_its_own_has_no_strangers(probe: Probe, speak: Callable[[str], None]) -> None:
    speak("lens_driver")
    assert found(probe, 1) == ()


def test_a_stranger_on_an_exclusive_topic_is_named(probe: Probe, speak: Callable[[str], None]) -> None:
    speak("lens_driver")
    speak("intruder")
    (sentence,) = found(probe, 2)
    assert "2 nodes publish lens/state: /dasha/intruder and /dasha/lens_driver" in sentence


def test_two_graphs_in_one_namespace_are_named(probe: Probe, speak: Callable[[str], None]) -> None:
    speak("lens_driver")
    speak("lens_driver")
    twice, publishing = found(probe, 2)
    assert twice.startswith(f"2 nodes are called {LENS}: two graphs run in one namespace")
    assert "publish lens/state: two graphs run in one namespace" in publishing


def test_strangers_are_listed() -> None:
    seen = Reached("/dasha", {LENS: "active"}, (), {}, strangers=("two graphs run in one namespace",))
    assert "✗ two graphs run in one namespace" in seen.lines()
