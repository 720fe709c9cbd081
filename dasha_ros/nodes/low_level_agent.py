"""The node of A^L, the agent that moves the lens."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rclpy.publisher import Publisher

from dasha_ros.action import AdjustFocus
from dasha_ros.config import LowLevelAgentConfig
from dasha_ros.control.hold import hold_focus
from dasha_ros.control.loop import run_focus
from dasha_ros.control.rig import RigError
from dasha_ros.control.step import FocusOutcome, Step
from dasha_ros.freshness.command import NO_FRAME
from dasha_ros.msg import Belief, Detection
from dasha_ros.optics.limited_lens import DistanceError
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.learned.focus import LearnedFocus
from dasha_ros.policies.outcome import ErrorCode, explain
from dasha_ros.policies.policy import FocusPolicy, FocusTask, HasBelief
from dasha_ros.policies.registry import focus_policy
from dasha_ros.policies.selection import EVERYTHING
from dasha_ros.ros.agents.agent_node import AgentNode, agent_executor
from dasha_ros.ros.agents.holding import HoldFeedback, after_hold
from dasha_ros.ros.goals.requests import distances_of, selection_of, trouble
from dasha_ros.ros.goals.simple_action_server import ActiveGoal
from dasha_ros.ros.node.run import run as run_node
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.conversions import detection_to_msg, frame_to_msg, id_to_msg
from dasha_ros.ros.transport.stamps import to_stamp

if TYPE_CHECKING:
    from dasha_ros.ros.agents.learning import AgentLearning


class LowLevelAgent(AgentNode[LowLevelAgentConfig]):
    """Moves the lens until the object is found and sharp (paper, Algorithm 2).

    Serves the action ``adjust_focus``. Never moves the lens without a goal.
    """

    config_model = LowLevelAgentConfig
    action = AdjustFocus
    action_name = "adjust_focus"
    actuator = "lens"
    agent = "focus"
    outcome = FocusOutcome

    def __init__(self) -> None:
        super().__init__("low_level_agent")
        self._beliefs: Publisher | None = None

    def configure(self) -> None:
        """See `AgentNode.configure`; and create the topic of the belief."""
        super().configure()
        self._beliefs = self.keep_publisher(Belief, "focus/belief", qos.PERCEPT)

    def cleanup(self) -> None:
        """See `AgentNode.cleanup`."""
        super().cleanup()
        self._beliefs = None

    def load_policy(self) -> None:
        """Create the policy that the configuration names."""
        self._policy = focus_policy(self.config.policy)
        self.health.show("policy", lambda: {"policy": self.config.policy})
        self.health.show("lens", self._lens_values)

    def _lens_values(self) -> dict[str, str]:
        info = self.rig.lens_info
        return {} if info is None else {"lens": info.profile or f"not calibrated, in {info.unit}"}

    def use_policy(self, path: Path) -> None:
        """See `AgentNode.use_policy`."""
        self._policy = LearnedFocus(path)

    def refuse(self, request: AdjustFocus.Goal) -> str:
        """Refuse what can't be meant, and what a learner does not know."""
        reason = trouble(request)
        if reason or self.learning is None or not request.background:
            return reason
        if selection_of(request)[1] != EVERYTHING or distances_of(request):
            return "goals for learning have no region, priorities or distances: set background to false"
        return ""

    def settings(self) -> dict[str, Any]:
        """See `AgentNode.settings`."""
        return self.rig.lens_values

    def result(self, outcome: FocusOutcome) -> AdjustFocus.Result:
        """The action's result for an outcome, with the current lens position."""
        percept, detection = outcome.percept, outcome.detection
        return AdjustFocus.Result(
            error_code=int(outcome.code),
            error_msg=outcome.message,
            **self.settings(),
            command=id_to_msg(self.rig.commanded),
            steps=outcome.steps,
            hold_steps=outcome.hold_steps,
            detection=detection_to_msg(detection) if detection else Detection(),
            brisque=float(percept.brisque) if percept else 0.0,
            mean_grey=float(percept.mean_grey) if percept else 0.0,
            frame=frame_to_msg(percept.capture.id if percept else NO_FRAME),
        )

    def task_of(self, request: AdjustFocus.Goal) -> FocusTask:
        """The task that a goal describes, with defaults filled in.

        Raises:
            RigError: The lens can't be kept within the goal's distances.
        """
        labels, selection = selection_of(request)
        try:
            lens = distances_of(request).limit(self.rig.lens)
        except DistanceError as error:
            raise RigError(ErrorCode.OBJECT_NOT_FOUND, str(error)) from error
        return FocusTask(
            lens=lens,
            labels=labels,
            selection=selection,
            min_score=request.min_score or self.config.min_score,
            max_brisque=request.max_brisque or self.config.max_brisque,
            min_sharp=self.config.min_sharp,
            max_steps=request.max_steps or self.config.max_steps,
        )

    def act(self, run: ActiveGoal) -> FocusOutcome:
        """Search with the policy."""
        task = self.task_of(run.request)
        found = run_focus(self.rig, self._policy, task, lambda step: self.report(run, step), run.interrupted)
        if not run.request.hold or found.code != ErrorCode.NONE or found.percept is None:
            return found
        self.health.set_activity("holding an object")
        held = hold_focus(self.rig.move, task, found.percept, HoldFeedback(run).focus, run.interrupted)
        return after_hold(found, held)

    def report(self, run: ActiveGoal, step: Step) -> None:
        """See `AgentNode.report`; the belief follows if somebody listens to it."""
        super().report(run, step)
        # A learner works without a policy of its own.
        beliefs, policy = self._beliefs, self._policy if self.learning is None else None
        self._look_for_colours(policy, step.percept)
        if beliefs is None or not isinstance(policy, HasBelief) or not beliefs.get_subscription_count():
            return
        belief = policy.belief()
        if belief is not None:
            dioptres, probability = (values.astype("f4").tobytes() for values in belief)
            message = Belief(
                node=self.instance,
                dioptres=array("f", dioptres),
                probability=array("f", probability),
            )
            message.header.stamp = to_stamp(step.percept.capture.stamp_ns)
            beliefs.publish(message)

    def _look_for_colours(self, policy: FocusPolicy | None, percept: Percept) -> None:
        reads = isinstance(policy, LearnedFocus) and policy.reads_colours
        if reads and not len(percept.colour_detail):
            self.health.warn(
                "colours",
                "the policy reads colours, but percepts hold none, so it works without them: set "
                "perception.colour_detail to true, and camera_driver.encoding to rgb8 or a Bayer pattern",
            )
        else:
            self.health.clear("colours")

    def learn(self, run: ActiveGoal, learning: AgentLearning) -> FocusOutcome:
        """Play one episode; the detection is what is seen at its end."""
        # Before the learner plays: without a lens description both learner and goal would wait forever.
        task = self.task_of(run.request)
        end = learning.play(run)
        seen = end.percept.of(task.labels, task.min_score) if end.percept else ()
        message = explain(end.code, end.what)
        return FocusOutcome(end.code, message, end.steps, end.percept, seen[0] if seen else None)


def main(args: Sequence[str] | None = None) -> None:
    """Run A^L."""
    run_node(LowLevelAgent, args, agent_executor)


if __name__ == "__main__":
    main()
