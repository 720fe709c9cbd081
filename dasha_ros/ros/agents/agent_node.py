"""The base class of both agents' nodes. They share code only; at run time they share nothing but topics."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, cast

from rclpy.publisher import Publisher

from dasha_ros import msg
from dasha_ros.config import AgentConfig
from dasha_ros.control.rig import RigError
from dasha_ros.control.step import ExposureOutcome, FocusOutcome, Step
from dasha_ros.freshness.command import NO_COMMAND
from dasha_ros.optics.exposure_table import ExposureTable, exposure_table
from dasha_ros.policies.learned.policy_file import PolicyFileError
from dasha_ros.policies.outcome import ErrorCode, explain
from dasha_ros.policies.policy import FocusTask
from dasha_ros.ros.actuation.ros_rig import RosRig
from dasha_ros.ros.actuation.settlement import Patience
from dasha_ros.ros.goals.simple_action_server import ActiveGoal, SimpleActionServer
from dasha_ros.ros.node.executor import SafeMultiThreadedExecutor
from dasha_ros.ros.node.node import DashaNode
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.conversions import frame_from_msg, percept_to_msg
from dasha_ros.ros.transport.stamps import to_stamp
from dasha_ros.system import shutdown_limits
from dasha_ros.system.extras import require
from dasha_ros.system.text import sendable

if TYPE_CHECKING:
    from dasha_ros.ros.agents.learning import AgentLearning

A = TypeVar("A", bound=AgentConfig)
Outcome = ExposureOutcome | FocusOutcome

_DEVICE = {"exposure": ErrorCode.CAMERA_LOST, "lens": ErrorCode.LENS_LOST}
_BACK = {"exposure": "The exposure", "lens": "The lens"}


def agent_executor() -> SafeMultiThreadedExecutor:
    """An executor with threads for a goal in progress, a waiting goal, and the topics."""
    return SafeMultiThreadedExecutor(num_threads=4)


class AgentNode(DashaNode[A]):
    """One agent: an action, a policy, and the rig over topics.

    It publishes ``reward`` for each step. When a goal fails, it restores its own actuator, unless another
    node has taken the actuator over. The commands of a goal are tentative until a permanent command follows:
    from the goal's owner, or from this agent if the goal names no owner.
    """

    action: ClassVar[Any]
    action_name: ClassVar[str]
    actuator: ClassVar[Literal["exposure", "lens"]]
    agent: ClassVar[Literal["exposure", "focus"]]
    outcome: ClassVar[type[ExposureOutcome] | type[FocusOutcome]]

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._server: SimpleActionServer | None = None
        self.learning: AgentLearning | None = None
        self._rewards: Publisher | None = None
        self._episode = 0

    @abstractmethod
    def load_policy(self) -> None:
        """Create the policy that the configuration names."""

    @abstractmethod
    def use_policy(self, path: Path) -> None:
        """Use a learned policy from a file.

        Raises:
            PolicyFileError: The file can't be used.
        """

    @abstractmethod
    def task_of(self, request: Any) -> FocusTask:
        """The task that a goal describes."""

    @abstractmethod
    def act(self, run: ActiveGoal) -> Any:
        """Let the policy work on the goal; returns an `outcome`."""

    @abstractmethod
    def learn(self, run: ActiveGoal, learning: AgentLearning) -> Any:
        """Let the learner play the goal; returns an `outcome`."""

    @abstractmethod
    def result(self, outcome: Any) -> Any:
        """The action's result for an outcome, with the current settings."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """The fields of a result that say what is active."""

    @abstractmethod
    def refuse(self, request: Any) -> str:
        """Why a goal can't be accepted, or ""."""

    def table(self) -> ExposureTable:
        """The exposure table in use."""
        return exposure_table()

    def configure(self) -> None:
        """Load the policy, or the learner, and create the topics."""
        if self.config.mode == "act":
            self.load_policy()
        self._rewards = self.keep_publisher(msg.Reward, "reward", qos.REWARD)
        self.rig = RosRig(self, self.table(), self.actuator)
        self.keep(self.rig, self.rig.close)
        if self._server is None:
            # Kept as long as the node lives, so that every request gets an answer, and the result of a goal
            # that a clean-up ended can still be fetched.
            self._server = SimpleActionServer(
                self,
                self.action,
                self.action_name,
                self._refuse,
                self._work,
                settings=self.settings,
                ends_s=shutdown_limits.AGENT_GOAL_ENDS_S,
            )
        if self.config.mode == "learn":
            # An agent that only acts does not pay for PyTorch.
            require("torch", "learning", "torch", "stable_baselines3", "gymnasium")
            from dasha_ros.ros.agents.learning import AgentLearning

            self.learning = AgentLearning(
                self.agent,
                config=self.config,
                rig=self.rig,
                task_of=self.task_of,
                report=self.report,
                health=self.health,
            )
        else:
            self.rig.rest()

    def activate(self) -> None:
        """Accept goals."""
        if self.learning is not None:
            self.learning.start()
        self.health.set_activity("waiting for a goal")

    def deactivate(self) -> None:
        """End the current goal and accept no more."""
        if self.learning is not None:
            self.learning.stop()
        if self._server is not None:
            self._server.stop()

    def cleanup(self) -> None:
        """Forget the learner; goals are refused from now on."""
        self._rewards = None
        self.learning = None
        self.health.clear("learning", "learned policy")

    def _refuse(self, request: Any) -> str:
        reason = "" if self.is_active else f"{self.get_name()} is not active"
        reason = reason or self.refuse(request)
        if reason:
            self.health.count("rejected_goals")
            self.get_logger().warning(f"goal rejected: {reason}")
        return reason

    def _work(self, run: ActiveGoal) -> Any:
        self.rig.inference_budget_s = self.config.inference_budget_s
        self.rig.retries = self.config.retries
        self.rig.commanded = NO_COMMAND
        self.rig.not_before = frame_from_msg(run.request.not_before)
        if self.learning is not None:
            return self._play(run, self.learning)
        self.rig.interrupted = run.interrupted
        with self.rig.attending():
            return self._play(run, None)

    def _play(self, run: ActiveGoal, learning: AgentLearning | None) -> Any:
        self._episode += 1
        self.health.count("goals")
        self.health.set_activity("working on a goal")
        if learning is None:
            outcome = self._act(run)
        elif run.background:
            outcome = self._learn(run, learning)
        else:
            outcome = self._act_meanwhile(run, learning)
        if outcome.code == ErrorCode.NONE:
            self.get_logger().info(f"done in {_steps(outcome.steps)}")
        else:
            self.health.count("failed_goals")
            # A learner fails thousands of times, and its rewards show it.
            if learning is None or not run.background:
                self.get_logger().warning(
                    f"failed after {_steps(outcome.steps)}: {sendable(outcome.message)}"
                )
        self.health.set_activity("waiting for a goal")
        return self.result(outcome)

    def _learn(self, run: ActiveGoal, learning: AgentLearning) -> Outcome:
        """Work on a goal of the learner. The next one begins where it ends, so nothing is restored."""
        return self._outcome_of(lambda: self.learn(run, learning))

    def _act_meanwhile(self, run: ActiveGoal, learning: AgentLearning) -> Outcome:
        """Work on a goal that is not for learning, with the most likely actions of the policy so far."""
        with learning.paused(run):
            return self._act(run, learning.newest_policy)

    def _act(self, run: ActiveGoal, policy: Callable[[], Path] | None = None) -> Outcome:
        """Let the policy work on a goal. If it fails, restore the agent's own actuator."""
        rig, before, sent = self.rig, 0.0, self.rig.sent
        owner = run.request.owner or rig.own_owner

        def act() -> Outcome:
            nonlocal before
            before, rig.owner = rig.current_setting(), owner
            if policy is not None:
                self.use_policy(policy())
            return cast("Outcome", self.act(run))

        outcome = self._outcome_of(act)
        rig.owner = ""
        if outcome.code == ErrorCode.NONE and not run.request.owner and not self._stays():
            code = _DEVICE[self.actuator]
            outcome = replace(outcome, code=code, message=explain(code, "its driver does not confirm it"))
        if outcome.code in (ErrorCode.NONE, ErrorCode.COMMAND_OVERRIDDEN) or rig.sent == sent:
            return outcome
        if outcome.code == ErrorCode.CLIENT_GONE and run.request.owner:
            # When an owner is gone, each driver restores what its goal found. This agent only knows what its
            # own part of the goal found, which an earlier part may have set.
            return outcome
        back = rig.settle(before)
        is_lost = outcome.code == _DEVICE[self.actuator]
        if is_lost and run.request.owner:
            # The outcome says so already, and the owner waits for the driver to be restarted.
            return outcome
        if self._await(
            back.look,
            shutdown_limits.DRIVER_RESTARTS_S if is_lost else shutdown_limits.DRIVER_ANSWERS_S,
            before,
        ):
            return outcome
        if back.is_active and not self.is_active:
            return outcome
        what = f"{_BACK[self.actuator]} could not be restored: its driver does not answer."
        return replace(outcome, message=f"{outcome.message} {what}")

    def _stays(self) -> bool:
        """Make the final setting permanent unless another node commands; return whether that worked."""
        rig, said = self.rig, self.rig.own_report
        if said is None or said.command != rig.commanded:
            return True
        return self._await(rig.settle(said.value).look, shutdown_limits.DRIVER_ANSWERS_S, said.value)

    def _await(self, look: Callable[[], bool], answers_s: float, value: float) -> bool:
        """Wait for a driver, but not longer than a node that is shutting down may."""
        rig = self.rig
        exposures_us = (rig.exposure_us or 0.0, value) if self.actuator == "exposure" else ()
        patience = Patience(
            shutdown_limits.exposure_shows_s(*exposures_us, answers_s=answers_s),
            shutdown_limits.exposure_shows_s(*exposures_us, longest_s=shutdown_limits.EXPOSURE_S),
            lambda: not self.is_active,
        )
        return bool(rig.waiter.wait_for(lambda: look() or None, patience.lasts))

    def _outcome_of(self, play: Callable[[], Outcome]) -> Outcome:
        try:
            return play()
        except PolicyFileError as error:
            code, what = ErrorCode.POLICY_MISMATCH, str(error)
        except RigError as error:
            code, what = ErrorCode(error.code), str(error)
        except (Exception, SystemExit) as error:
            # A bug must end the goal with an error code and still restore the actuator, and somebody's own
            # policy may end like a script.
            self.guard.caught("a goal", error)
            code, what = ErrorCode.INTERNAL, f"{type(error).__name__}: {error}"
        return self.outcome(code, explain(code, what))

    def report(self, run: ActiveGoal, step: Step) -> None:
        """Publish a step and its reward, as a message and as feedback."""
        reward = msg.Reward(
            agent=step.agent,
            policy=self.config.policy,
            episode=self._episode,
            step=step.index,
            value=float(step.reward.value),
            term_names=list(step.reward.terms),
            term_values=[float(v) for v in step.reward.terms.values()],
            action_names=[step.command.name] if step.command else [],
            action_values=[float(step.command.value)] if step.command else [],
        )
        reward.header.stamp = to_stamp(step.percept.capture.stamp_ns)
        assert self._rewards is not None
        self._rewards.publish(reward)
        run.feedback(self.action.Feedback(reward=reward, percept=percept_to_msg(step.percept, "")))


def _steps(count: int) -> str:
    return f"{count} step" if count == 1 else f"{count} steps"
