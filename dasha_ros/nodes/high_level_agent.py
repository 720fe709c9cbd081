"""The node of A^H, the agent that sets the exposure."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dasha_ros.action import AdjustExposure
from dasha_ros.config import HighLevelAgentConfig
from dasha_ros.control.goal import Told, expose_object, second_look, shift
from dasha_ros.control.hold import hold_exposure
from dasha_ros.control.step import ExposureOutcome, Step
from dasha_ros.freshness.command import NO_FRAME
from dasha_ros.optics.exposure_table import ExposureTable, exposure_table
from dasha_ros.optics.profiles import lens_model
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.learned.exposure import LearnedExposure
from dasha_ros.policies.learned.policy_file import PolicyFileError
from dasha_ros.policies.object_exposure import Wanted
from dasha_ros.policies.outcome import ErrorCode, explain
from dasha_ros.policies.policy import MIN_SCORE, ExposureTask, FocusTask
from dasha_ros.policies.registry import exposure_policy
from dasha_ros.policies.steady_light import flicker_note
from dasha_ros.ros.agents.agent_node import AgentNode, agent_executor
from dasha_ros.ros.agents.holding import HoldFeedback, after_hold
from dasha_ros.ros.goals.requests import selection_of, trouble
from dasha_ros.ros.goals.simple_action_server import ActiveGoal
from dasha_ros.ros.node.run import run as run_node
from dasha_ros.ros.transport.conversions import frame_to_msg, id_to_msg

if TYPE_CHECKING:
    from dasha_ros.ros.agents.learning import AgentLearning


class HighLevelAgent(AgentNode[HighLevelAgentConfig]):
    """Steps the exposure until the picture is well exposed (paper, Algorithm 1).

    Serves the action ``adjust_exposure``.
    """

    config_model = HighLevelAgentConfig
    action = AdjustExposure
    action_name = "adjust_exposure"
    actuator = "exposure"
    agent = "exposure"
    outcome = ExposureOutcome

    def __init__(self) -> None:
        super().__init__("high_level_agent")
        self._flicker = ""
        """What the light's flicker does to the pictures of the last exposure; empty: nobody saw any."""

    def table(self) -> ExposureTable:
        """The exposures that the policy may choose from."""
        table = exposure_table(self.config.exposure_min_us, self.config.exposure_max_us)
        mains_hz = self.config.mains_hz
        return table if mains_hz == "auto" else table.free_of_flicker(float(mains_hz))

    def _table_of_camera(self) -> ExposureTable:
        """The exposures that both the parameters and the camera allow, then the camera's gain.

        A learned policy keeps the table that it was trained with; each command is clipped to the camera's
        limits. The preset ``paper`` knows no gain. Nor is there any if the camera can expose for longer than
        the parameters allow, because drivers use gain only beyond the camera's own longest exposure.

        Raises:
            PolicyFileError: The two ranges overlap too little.
        """
        table, limits = self.rig.table, self.rig.limits
        if limits is None:
            return table
        learned = self._policy if isinstance(self._policy, LearnedExposure) else None
        uses_gain = learned is None or learned.uses_gain
        reaches_gain = uses_gain and limits.exposure_max_us <= self.config.exposure_max_us
        gain_db = min(limits.gain_max_db, self.config.gain_max_db) if reaches_gain else 0.0
        self.rig.most_gain_db = gain_db
        try:
            if learned is None:
                table = table.within(limits.exposure_min_us, limits.exposure_max_us)
            return table.with_gain(gain_db, limits.exposure_max_us) if reaches_gain else table
        except ValueError as error:
            raise PolicyFileError(
                f"the camera exposes {limits.exposure_min_us:g} to {limits.exposure_max_us:g} us, and the "
                f"parameters allow {table.t_min_us:g} to {table.t_max_us:g} us ({error}): set "
                "`exposure_min_us` and `exposure_max_us` of high_level_agent to suit the camera"
            ) from error

    def load_policy(self) -> None:
        """Create the policy that the configuration names."""
        self._policy = exposure_policy(self.config.policy)
        self.health.show("policy", lambda: {"policy": self.config.policy})
        self.health.show("flicker", lambda: {"flicker": self._flicker} if self._flicker else {})

    def use_policy(self, path: Path) -> None:
        """See `AgentNode.use_policy`."""
        self._policy = LearnedExposure(path)

    def refuse(self, request: AdjustExposure.Goal) -> str:
        """Refuse what can't be meant."""
        return trouble(request)

    def settings(self) -> dict[str, Any]:
        """See `AgentNode.settings`."""
        return {"exposure_us": float(self.rig.exposure_us or 0.0)}

    def result(self, outcome: ExposureOutcome) -> AdjustExposure.Result:
        """The action's result for an outcome, with the current exposure."""
        percept = outcome.percept
        if percept is not None:
            self._flicker = flicker_note(percept.flicker_hz, percept.capture.exposure_us)
        return AdjustExposure.Result(
            error_code=int(outcome.code),
            error_msg=outcome.message,
            **self.settings(),
            command=id_to_msg(self.rig.commanded),
            steps=outcome.steps,
            mean_grey=float(percept.mean_grey) if percept else 0.0,
            histogram_peak=float(percept.histogram_peak) if percept else 0.0,
            frame=frame_to_msg(percept.capture.id if percept else NO_FRAME),
        )

    def task_of(self, request: AdjustExposure.Goal) -> FocusTask:
        """A task without an object and with any lens, because A^H learns of no object."""
        return FocusTask(lens_model())

    def act(self, run: ActiveGoal) -> ExposureOutcome:
        """Step the exposure with the policy, then for the object's own light, as far as the goal says."""
        try:
            return self._expose(run)
        finally:
            self.rig.meter(None)

    def _expose(self, run: ActiveGoal) -> ExposureOutcome:
        request = run.request
        task = ExposureTask(
            self._table_of_camera(),
            min(request.max_steps or self.config.max_steps, request.steps_left or sys.maxsize),
            heeds_flicker=self.config.mains_hz == "auto",
        )

        def told(step: Step) -> None:
            self.report(run, step)

        wanted = self._wanted(request)
        if request.metering == AdjustExposure.Goal.METER_ONLY and wanted is not None:
            return self._meter(task, wanted, request.shift_ev, (told, run.interrupted))
        if request.hold:
            first = last = self.rig.observe()

            def look(exposure_us: float) -> Percept:
                nonlocal last
                capture = last.capture
                changes = exposure_us != task.table.asked_us(capture.exposure_us, capture.gain_db)
                last = self.rig.expose(exposure_us) if changes else self.rig.watch(last)
                return last

            self.health.set_activity("following the light")
            held = hold_exposure(look, task, first, HoldFeedback(run).exposure, run.interrupted)
            return after_hold(ExposureOutcome(ErrorCode.NONE, "", 0, last), held)
        return expose_object(self.rig, self._policy, task, wanted, (told, run.interrupted))

    def _wanted(self, request: AdjustExposure.Goal) -> Wanted | None:
        if request.metering == AdjustExposure.Goal.NO_METERING:
            return None
        labels, selection = selection_of(request)
        return Wanted(labels, request.min_score or MIN_SCORE, selection)

    def _meter(self, task: ExposureTask, wanted: Wanted, shift_ev: float, told: Told) -> ExposureOutcome:
        """Only the second look, perhaps after one step of a given size."""
        self.rig.meter(wanted.region)
        begun = ExposureOutcome(ErrorCode.NONE, "", 0, self.rig.observe())
        if shift_ev != 0.0:
            begun = shift(self.rig, task, shift_ev, begun, told)
        if begun.code != ErrorCode.NONE:
            return begun
        return second_look(self.rig, task, wanted, begun, told, left=task.max_steps - begun.steps)

    def learn(self, run: ActiveGoal, learning: AgentLearning) -> ExposureOutcome:
        """Play one episode."""
        end = learning.play(run)
        return ExposureOutcome(end.code, explain(end.code, end.what), end.steps, end.percept)


def main(args: Sequence[str] | None = None) -> None:
    """Run A^H."""
    run_node(HighLevelAgent, args, agent_executor)


if __name__ == "__main__":
    main()
