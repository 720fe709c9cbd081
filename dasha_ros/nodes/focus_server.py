"""The node that serves the action for robots: expose, then focus, until the object is found."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from copy import copy
from functools import partial

from rclpy.callback_groups import ReentrantCallbackGroup
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from dasha_ros import msg
from dasha_ros.action import AdjustExposure, AdjustFocus, FocusOnObject
from dasha_ros.config import FocusServerConfig
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.perception.labels import unknown_label
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.selection import Region
from dasha_ros.ros.actuation.actuators import Actuators
from dasha_ros.ros.agents.agent_node import agent_executor
from dasha_ros.ros.goals.agent_client import AgentClient
from dasha_ros.ros.goals.focus_goal import FocusGoal
from dasha_ros.ros.goals.goal_server import GoalServer
from dasha_ros.ros.goals.requests import distances_of, lens_trouble, region_to_msg, trouble
from dasha_ros.ros.goals.simple_action_server import NO_GOAL, ActiveGoal, SimpleActionServer
from dasha_ros.ros.goals.trainer_pause import TrainerPause
from dasha_ros.ros.goals.vocabulary import Vocabulary
from dasha_ros.ros.node.run import run as run_node
from dasha_ros.ros.node.waiter import Waiter
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.conversions import lens_info_from_msg
from dasha_ros.ros.transport.stamps import to_stamp
from dasha_ros.ros.validation.subscribe import subscribe
from dasha_ros.system import shutdown_limits
from dasha_ros.system.text import sendable

_LONGEST = 2000
"""Most characters of a message for people."""
_DISCOVERY_S = 2.0
"""How long to wait for perception [s]: a goal may come before this node has discovered it."""


class FocusServer(GoalServer):
    """Serves ``focus_on_object``; publishes ``focus/state``, latched.

    It asks A^H to set the exposure, then A^L to focus. If anything goes wrong, it restores lens and exposure,
    and the result says what to do.
    """

    config_model = FocusServerConfig

    def __init__(self) -> None:
        super().__init__("focus_server")
        self._server: SimpleActionServer | None = None
        self._info: msg.PerceptionInfo | None = None
        self._lens: LensInfo | None = None
        self._focus_goal: FocusGoal | None = None
        self._waiter = Waiter()
        self._configured = False
        self._state_lock = threading.Lock()
        self._last_state = msg.FocusState()

    def configure(self) -> None:
        """Create the topics and the clients of both agents."""
        self.actuators = Actuators(self)
        self.keep(self.actuators, self.actuators.close)
        self.actuators.listen(CompressedImage, "perception/annotated/compressed", self._on_picture, qos.IMAGE)
        self.actuators.listen(msg.Belief, "focus/belief", self._on_belief, qos.PERCEPT)
        self.actuators.rest()
        self.exposure_agent = AgentClient(self, AdjustExposure, "adjust_exposure", "high_level_agent")
        self.keep(self.exposure_agent, self.exposure_agent.destroy)
        self.focus_agent = AgentClient(self, AdjustFocus, "adjust_focus", "low_level_agent")
        self.keep(self.focus_agent, self.focus_agent.destroy)
        self._state = self.keep_publisher(msg.FocusState, "focus/state", qos.STATE)
        for kind, topic, callback in (
            (msg.PerceptionInfo, "perception/info", self._on_info),
            (msg.LensInfo, "lens/info", self._on_lens),
        ):
            heard = subscribe(self, kind, topic, callback, qos.STATE, callback_group=ReentrantCallbackGroup())
            self.keep(heard, partial(self.destroy_subscription, heard))
        self._trainer = TrainerPause(self)
        self.keep(self._trainer, self._trainer.close)
        self._vocabulary = Vocabulary(self, self._waiter)
        self.keep(self._vocabulary, self._vocabulary.close)
        if self._server is None:
            # Kept as long as the node lives, so that every request gets an answer.
            self._server = SimpleActionServer(
                self,
                FocusOnObject,
                "focus_on_object",
                self._refuse,
                self._work,
                settings=lambda: self.actuators.settings,
                ends_s=shutdown_limits.SERVER_GOAL_ENDS_S,
            )
        self._configured = True
        self.keep(None, self._refuse_goals)

    def activate(self) -> None:
        """Accept goals."""
        self.exclusive_topics.add("focus/state", self._repeat_state)
        self.publish_state(msg.FocusState.IDLE, "waiting for a goal")
        self.health.set_activity(
            lambda: "waiting for a goal" if self._focus_goal is None else "working on a goal"
        )

    def deactivate(self) -> None:
        """End the current goal, restore, and accept no more."""
        if self._server is not None:
            self._server.stop()

    def _refuse_goals(self) -> None:
        """Say no more, and refuse goals from now on."""
        with self._state_lock:
            self._configured = False

    def _on_info(self, info: msg.PerceptionInfo) -> None:
        self._info = info
        self._waiter.notify()

    def _on_lens(self, message: msg.LensInfo) -> None:
        self._lens = lens_info_from_msg(message)
        self._waiter.notify()

    def _refuse(self, request: FocusOnObject.Goal) -> str:
        reason = self._reason(request)
        if reason:
            self.health.count("rejected_goals")
            self.get_logger().warning(f"goal rejected: {reason}")
            with self._state_lock:
                state_message = copy(self._last_state)
                state_message.message = f"goal rejected: {reason}"
                state_message.goal = list(self._server.asked if self._server else NO_GOAL)
                self._publish(state_message)
        return reason

    def _reason(self, request: FocusOnObject.Goal) -> str:
        if not self.is_active:
            return "focus_server is not active: activate it first"
        self._waiter.within(_DISCOVERY_S, lambda: self._info is not None)
        if self._info is None:
            return "perception is not running, so the detectable labels are unknown: start it and try again"
        if reason := trouble(request):
            return reason
        if distances_of(request):
            self._waiter.within(_DISCOVERY_S, lambda: self._lens is not None)
            if reason := lens_trouble(request, self._lens):
                return reason
        return unknown_label(
            request.labels, self._info.labels, self._info.detector
        ) and self._vocabulary.trouble(request.labels, lambda: self._info)

    def publish_state(
        self,
        state: int,
        message: str,
        labels: Sequence[str] = (),
        step: int = 0,
        *,
        region: Region | None = None,
        background: bool = False,
        goal: bytes = NO_GOAL,
    ) -> None:
        """Publish the state of the goal with this id."""
        state_message = msg.FocusState(
            state=state,
            labels=list(labels),
            region=region_to_msg(region),
            step=step,
            background=background,
            **self.actuators.settings,
            message=message,
            goal=list(goal),
        )
        with self._state_lock:
            self._publish(state_message)

    def _publish(self, state_message: msg.FocusState) -> None:
        """Publish a state. The caller holds the lock, so that no older state follows a newer one."""
        state_message.message = sendable(state_message.message)
        if len(state_message.message) > _LONGEST:
            # Hearers refuse more than a few thousand characters; a goal may name thousands of labels.
            state_message.message = f"{state_message.message[:_LONGEST]} ..."
        state_message.header, state_message.node = Header(stamp=to_stamp(self.clock.now_ns())), self.instance
        self._last_state = state_message
        if self._configured and self.context.ok():
            self._state.publish(state_message)

    def _repeat_state(self) -> None:
        with self._state_lock:
            self._publish(copy(self._last_state))

    def _work(self, run: ActiveGoal) -> FocusOnObject.Result:
        assert self._info is not None
        self.health.count("goals")
        run.limit(self.config.max_seconds)
        # The settings to restore are those of the moment when the trainer has stopped changing them.
        with self._trainer.during(run) as trainer_waits, self.actuators.attending():
            return self._reach(run, self._info, " (the trainer waits)" if trainer_waits else "")

    def _reach(self, run: ActiveGoal, info: msg.PerceptionInfo, note: str) -> FocusOnObject.Result:
        self._focus_goal = goal = FocusGoal(self, run, info, note)
        try:
            result = goal.work()
        finally:
            self._focus_goal = None
        if result.error_code == ErrorCode.NONE:
            self.health.clear("restore")
        else:
            self.health.count("failed_goals")
            self.get_logger().warning(f"goal failed ({result.error_code}): {sendable(result.error_msg)}")
        return result

    def _on_picture(self, picture: CompressedImage) -> None:
        goal = self._focus_goal
        if goal is not None:
            goal.picture(picture)

    def _on_belief(self, belief: msg.Belief) -> None:
        goal = self._focus_goal
        if goal is not None:
            goal.belief(belief)


def main(args: Sequence[str] | None = None) -> None:
    """Run the focus server."""
    run_node(FocusServer, args, agent_executor)


if __name__ == "__main__":
    main()
