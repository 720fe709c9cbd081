"""A focus server without a camera: the first label of a goal says how it behaves."""

from __future__ import annotations

import contextlib
import threading

import rclpy
from dasha_ros.action import FocusOnObject
from dasha_ros.msg import FocusState
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.node import Node

from dasha_ros.ros import qos


class FakeFocusServer(Node):
    """What it does is the label: ``reject`` refuses, ``fail`` fails, ``wait`` runs until it is cancelled,
    ``stuck`` for ever; any other succeeds."""

    def __init__(self) -> None:
        super().__init__("focus_server", namespace="/dasha")
        self._state = self.create_publisher(FocusState, "focus/state", qos.STATE)
        self._state.publish(FocusState(message="waiting for a goal"))
        self._server = ActionServer(
            self,
            FocusOnObject,
            "focus_on_object",
            execute_callback=self._execute,
            goal_callback=self._decide,
            cancel_callback=self._cancel,
            callback_group=ReentrantCallbackGroup(),
        )
        self._canceled = threading.Event()

    def _decide(self, goal):
        if goal.labels[:1] == ["reject"]:
            self._state.publish(FocusState(message="goal rejected: 'reject' is not to my taste"))
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _cancel(self, handle):
        self._canceled.set()
        return CancelResponse.ACCEPT

    def _execute(self, handle):
        what = (list(handle.request.labels) or ["anything"])[0]
        print(f"goal {what} {handle.request.min_score:g} {handle.request.keep_exposure}", flush=True)
        feedback = FocusOnObject.Feedback(exposure_us=12345.0, volts=43.21, best_score=0.5, brisque=30.25)
        for step, phase in enumerate((FocusState.EXPOSING, FocusState.FOCUSING)):
            feedback.phase, feedback.step = phase, step
            handle.publish_feedback(feedback)
        result = FocusOnObject.Result(exposure_us=12345.0, volts=43.21, exposure_steps=1, focus_steps=2)
        if what == "wait":
            assert self._canceled.wait(60.0)
            print("restored", flush=True)
            result.error_code, result.error_msg = result.CANCELED, "The goal was canceled."
            handle.canceled()
        elif what == "stuck":
            assert threading.Event().wait(3600.0)
        elif what == "fail":
            result.error_code, result.error_msg = result.OBJECT_NOT_FOUND, "Nothing there. Look elsewhere."
            result.report = "/reports/fail"
            handle.abort()
        else:
            result.detection.label, result.detection.score = what, 0.875
            handle.succeed()
        return result


def main() -> None:
    rclpy.init()
    node = FakeFocusServer()
    executor = MultiThreadedExecutor()
    executor.add_node(node)
    print("ready", flush=True)
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        executor.spin()
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
