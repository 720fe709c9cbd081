"""A lifecycle node that answers every transition request and refuses the impossible ones."""

from __future__ import annotations

import threading

from rclpy.exceptions import InvalidHandle
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn

from dasha_ros.ros.node.retiring import RetiringNode


class SafeLifecycleNode(RetiringNode, LifecycleNode):
    """rclpy's lifecycle node, made safe against impossible requests.

    If a transition is not possible in the current state or does not exist, rclpy (7.1) raises in the
    service's callback, and the process ends. This node logs and refuses the request.
    """

    def __init__(self, name: str) -> None:
        self._changing = threading.Lock()
        super().__init__(name)

    def _LifecycleNodeMixin__change_state(self, transition_id: int) -> TransitionCallbackReturn:  # noqa: N802
        """Run a transition, whether the service or `trigger_configure` and its siblings asked for it.

        This overrides a private method of rclpy under its mangled name; no other method serves both ways.
        """
        if not self._changing.acquire(blocking=False):
            return self._refused(transition_id, "another transition is in progress")
        try:
            possible = {known[0] for known in self._state_machine.available_transitions}
            if transition_id not in possible:
                state = self._state_machine.current_state[1]
                return self._refused(transition_id, f"it is not possible in state {state}")
            return super()._LifecycleNodeMixin__change_state(transition_id)
        finally:
            self._changing.release()

    def _refused(self, transition_id: int, reason: str) -> TransitionCallbackReturn:
        names = {known[0]: known[1] for known in self._state_machine.transition_graph}
        name = names.get(transition_id, "unknown")
        self.get_logger().warning(f"transition {transition_id} ({name}) refused: {reason}")
        return TransitionCallbackReturn.FAILURE

    def trigger_shutdown(self) -> TransitionCallbackReturn:
        """See `rclpy.lifecycle.LifecycleNode.trigger_shutdown`; fails if it is not possible."""
        try:
            return super().trigger_shutdown()
        except InvalidHandle:
            raise
        except RuntimeError as error:
            self.get_logger().warning(f"shutdown refused: {error}")
            return TransitionCallbackReturn.FAILURE
