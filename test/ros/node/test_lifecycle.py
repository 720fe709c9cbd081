"""Transitions that random requests can't produce: during another one, and broken ones."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from ros_harness import PATIENCE_S

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

import rclpy
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.signals import SignalHandlerOptions

from dasha_ros.config import NodeConfig
from dasha_ros.ros.node.node import DashaNode

pytestmark = [pytest.mark.graph, pytest.mark.usefixtures("ros_env")]

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class Slow(DashaNode[NodeConfig]):
    """Configures when the test lets it, and breaks where the test wants it."""

    config_model = NodeConfig

    def __init__(self) -> None:
        super().__init__("slow")
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        self.breaks = self.stays_broken = False

    def configure(self) -> None:
        self.begun.set()
        assert self.go_on.wait(PATIENCE_S)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        if self.breaks:
            raise ValueError("broken")
        return super().on_activate(state)

    def cleanup(self) -> None:
        if self.stays_broken:
            raise ValueError("broken for good")

    @property
    def state(self) -> str:
        return str(self._state_machine.current_state[1])


@pytest.fixture
def slow() -> Iterator[Slow]:
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    node = Slow()
    yield node
    node.destroy_node()
    rclpy.try_shutdown()


def test_a_transition_while_another_is_in_progress_is_refused(slow: Slow) -> None:
    slow.go_on.clear()
    made: list[TransitionCallbackReturn] = []
    first = threading.Thread(target=lambda: made.append(slow.trigger_configure()))
    first.start()
    assert slow.begun.wait(PATIENCE_S)
    for trigger in (
        slow.trigger_configure,
        slow.trigger_activate,
        slow.trigger_cleanup,
        slow.trigger_deactivate,
        slow.trigger_shutdown,
    ):
        assert trigger() == FAILURE
    assert slow.state == "configuring"
    slow.go_on.set()
    first.join(PATIENCE_S)
    assert made == [SUCCESS]
    assert slow.trigger_activate() == SUCCESS


def test_a_transition_from_inside_another_is_refused(slow: Slow) -> None:
    nested: list[TransitionCallbackReturn] = []
    slow.configure = lambda: nested.append(slow.trigger_activate())  # type: ignore[method-assign]
    assert slow.trigger_configure() == SUCCESS
    assert nested == [FAILURE]
    assert slow.state == "inactive"


def test_a_broken_transition_leads_to_unconfigured_and_can_be_repeated(slow: Slow) -> None:
    slow.trigger_configure()
    slow.breaks = True
    assert slow.trigger_activate() == TransitionCallbackReturn.ERROR
    assert (slow.state, slow.is_active) == ("unconfigured", False)
    slow.breaks = False
    assert slow.trigger_configure() == SUCCESS
    assert slow.trigger_activate() == SUCCESS


def test_a_node_that_can_not_clean_up_is_finalized_and_still_answers(slow: Slow) -> None:
    slow.trigger_configure()
    slow.breaks = slow.stays_broken = True
    assert slow.trigger_activate() == TransitionCallbackReturn.ERROR
    assert slow.state == "finalized"
    assert slow.trigger_configure() == FAILURE
    assert slow.trigger_shutdown() == FAILURE
