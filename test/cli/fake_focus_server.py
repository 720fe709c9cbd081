"""A focus server without a camera: the first label of a goal says how it behaves."""

from __future__ import annotations

import contextlib
import threading
import time

import rclpy
from dasha_ros.action import FocusOnObject
from dasha_ros.msg import FocusState
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.node import Node

from dasha_ros.freshness.command import new_instance
from dasha_ros.policies.outcome import ErrorCode, explain
from dasha_ros.ros.goals.simple_action_server import NO_GOAL, SimpleActionServer
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.middleware_watch import watch_middleware

LENS = {"lens_position": 43.21, "lens_unit": "V", "focus_distance_m": 1.0049}


class FakeFocusServer(Node):
    """What it does is the label: ``reject`` refuses and names the last one, ``fail`` fails, ``wait`` runs
    until it is told to end, ``stuck`` for ever; any other succeeds."""

    def __init__(self) -> None:
        super().__init__("focus_server", namespace="/dasha")
        self._state = self.create_publisher(FocusState, "focus/state", qos.STATE)
        self._instance = new_instance(self.get_fully_qualified_name())
        self._tell("waiting for a goal")
        self._server = SimpleActionServer(
            self, FocusOnObject, "focus_on_object", self._refuse, self._work, ends_s=5.0
        )

    def _tell(self, message, goal=NO_GOAL):
        self._state.publish(FocusState(node=self._instance, message=message, goal=list(goal)))

    def _refuse(self, goal):
        if goal.labels[:1] != ["reject"]:
            return ""
        self._tell(f"goal rejected: {goal.labels[-1]!r} is not to my taste", self._server.asked)
        return "not to my taste"

    def _work(self, run):
        what = (list(run.request.labels) or ["anything"])[0]
        print(f"goal {what} {run.request.min_score:g} {run.request.keep_exposure}", flush=True)
        wishes = run.request
        region = [round(getattr(wishes.region, edge), 3) for edge in ("x_min", "y_min", "x_max", "y_max")]
        if any(region) or wishes.any_object or wishes.max_seconds:
            print(
                f"wishes {region} {wishes.min_distance_m:g}..{wishes.max_distance_m:g} m "
                f"{wishes.max_seconds:g} s any {wishes.any_object} by_priority {wishes.by_priority} "
                f"hold {wishes.hold}",
                flush=True,
            )
        # The client knows the server before the server knows who listens to feedback.
        while not self.count_subscribers("focus_on_object/_action/feedback") and run.interrupted() is None:
            time.sleep(0.01)
        feedback = FocusOnObject.Feedback(exposure_us=12345.0, best_score=0.5, brisque=30.25, **LENS)
        for step, phase in enumerate((FocusState.EXPOSING, FocusState.FOCUSING)):
            feedback.phase, feedback.step = phase, step
            run.feedback(feedback)
        result = FocusOnObject.Result(exposure_us=12345.0, exposure_steps=1, focus_steps=2, **LENS)
        if what == "wait":
            while (reason := run.interrupted()) is None:
                time.sleep(0.01)
            print(f"restored after {reason.name}", flush=True)
            result.error_code, result.error_msg = int(reason), explain(reason, run.why)
        elif what == "stuck":
            assert threading.Event().wait(3600.0)
        elif what == "fail":
            result.error_code, result.error_msg = (
                int(ErrorCode.OBJECT_NOT_FOUND),
                "Nothing there. Look elsewhere.",
            )
            result.report = "/reports/fail"
        else:
            result.detection.label, result.detection.score = what, 0.875
        return result


def main() -> None:
    rclpy.init()
    node = FakeFocusServer()
    executor = MultiThreadedExecutor(num_threads=8)
    executor.add_node(node)
    watch_middleware("fake_focus_server")
    print("ready", flush=True)
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        executor.spin()
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
