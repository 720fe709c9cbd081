"""Progress, results and errors of a goal, as plain Python."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dasha_ros.policies.outcome import ErrorCode

if TYPE_CHECKING:
    from dasha_ros.perception.percept import Detection
    from dasha_ros.ros.goals.focus_client import Ending


class FocusError(Exception):
    """A goal has no usable result; the message says what happened and what to do."""


class NoServerError(FocusError):
    """No focus server was found, or it does not answer."""


class GoalRejectedError(FocusError):
    """The server rejected the goal; the message is its reason."""


class ServerLostError(FocusError):
    """The server died, was restarted or stopped answering while it worked on the goal."""


class DeadlineError(FocusError):
    """The goal took longer than allowed and was cancelled.

    Attributes:
        result: The server's result; `None` if no server had accepted the goal yet.
    """

    def __init__(self, sentence: str, result: FocusResult | None) -> None:
        super().__init__(sentence)
        self.result = result


class FocusFailedError(FocusError):
    """The server did not reach the goal; see `FocusResult.raise_for_error`.

    Attributes:
        result: The goal's result.
    """

    def __init__(self, result: FocusResult) -> None:
        super().__init__(result.message)
        self.result = result


class Phase(IntEnum):
    """What the server is doing, with the numbers of ``FocusState``."""

    EXPOSING = 1
    FOCUSING = 2
    RESTORING = 5
    HOLDING = 6


@dataclass(frozen=True)
class Progress:
    """One step of a goal, or, in the phase ``RESTORING``, the beginning of the way back.

    Then no picture was judged: `best_score` is 0 and `brisque` NaN.
    """

    phase: Phase
    step: int
    """Counts the steps of both agents together."""
    exposure_us: float
    """Exposure of the step's picture [us]."""
    lens_position: float
    """Position of the lens in ``lens_unit``."""
    lens_unit: str
    """Unit of the lens's positions: ``V``, ``D``, ``steps``, ..."""
    focus_distance_m: float
    """Focus distance [m]; infinite at infinity and beyond, NaN if the lens is not calibrated."""
    best_score: float
    """Best confidence of a wanted object, 0..1."""
    brisque: float
    reward: float
    sharpness: float = math.nan
    """Of a held object: 1 as it was found, less where it is more blurred; NaN if unknown or not held."""


@dataclass(frozen=True)
class FocusResult:
    """How a goal ended."""

    code: ErrorCode
    message: str
    """What happened and what to do; empty if the object was found."""
    detection: Detection | None
    """The found object with the best score."""
    brisque: float
    exposure_us: float
    """Exposure at the end [us]."""
    lens_position: float
    """Position of the lens at the end, in ``lens_unit``; NaN if it is unknown."""
    lens_unit: str
    """Unit of the lens's positions: ``V``, ``D``, ``steps``, ..."""
    focus_distance_m: float
    """Focus distance [m]; infinite at infinity and beyond, NaN if the lens is not calibrated."""
    exposure_steps: int
    focus_steps: int
    hold_steps: int
    """Commands to lens and camera while the object was held."""
    seconds: float
    report: Path | None
    """Folder of the report on the server's machine, if one was written."""

    @property
    def lens(self) -> str:
        """Position and focus distance as text."""
        from dasha_ros.optics.lens_info import distance_text, position_text

        return f"{position_text(self.lens_position, self.lens_unit)}{distance_text(self.focus_distance_m)}"

    @property
    def found(self) -> bool:
        """Whether the object was found."""
        return self.code is ErrorCode.NONE

    def raise_for_error(self) -> FocusResult:
        """Return the result itself if the object was found.

        Raises:
            FocusFailedError: The object was not found.
        """
        if not self.found:
            raise FocusFailedError(self)
        return self


def progress_of(message: Any) -> Progress:
    """Convert a ``FocusOnObject.Feedback``."""
    return Progress(
        phase=Phase(message.phase),
        step=message.step,
        exposure_us=message.exposure_us,
        lens_position=message.lens_position,
        lens_unit=message.lens_unit,
        focus_distance_m=message.focus_distance_m,
        best_score=message.best_score,
        brisque=message.brisque,
        reward=message.reward,
        sharpness=message.sharpness,
    )


def result_of(message: Any) -> FocusResult:
    """Convert a ``FocusOnObject.Result``."""
    from dasha_ros.ros.transport.conversions import detection_from_msg

    return FocusResult(
        code=ErrorCode(message.error_code),
        message=message.error_msg,
        detection=detection_from_msg(message.detection) if message.detection.label else None,
        brisque=message.brisque,
        exposure_us=message.exposure_us,
        lens_position=message.lens_position,
        lens_unit=message.lens_unit,
        focus_distance_m=message.focus_distance_m,
        exposure_steps=message.exposure_steps,
        focus_steps=message.focus_steps,
        hold_steps=message.hold_steps,
        seconds=message.seconds,
        report=Path(message.report) if message.report else None,
    )


def error_of(
    ending: Ending, result: FocusResult | None, namespace: str, restore_s: float
) -> FocusError | None:
    """Why a goal has no usable result; `None` if it has one.

    Args:
        ending: How the goal ended.
        result: The goal's result, if there is one.
        namespace: Namespace of the graph.
        restore_s: How long the client waited for a cancelled goal [s].
    """
    from dasha_ros.ros.goals.goal_watchdog import LOST_AFTER_S, Loss

    if result is not None:
        late = ending.timed_out and not result.found
        return DeadlineError(f"the goal took too long; {result.message}", result) if late else None
    match ending.loss:
        case None:
            error: FocusError = FocusError(
                "the client did not wait for the goal's end, so lens and exposure may not be restored; "
                "`dasha echo focus/state --once` shows what the server is doing"
            )
        case Loss.ABSENT:
            error = NoServerError(
                f"no focus server answers in the namespace {namespace}. Start the graph with "
                "`dasha up` (or ros2 launch), in the same ROS_DOMAIN_ID"
            )
        case Loss.REJECTED:
            error = GoalRejectedError(ending.reason)
        case Loss.MUTE:
            error = NoServerError("the focus server does not answer; look at its log")
        case Loss.WITHDRAWN:
            if ending.timed_out:
                error = DeadlineError(
                    f"no focus server in the namespace {namespace} accepted the goal in time. Allow it more "
                    "time, or start the graph with `dasha up` (or ros2 launch), in the same ROS_DOMAIN_ID",
                    None,
                )
            else:
                error = FocusError("the goal was cancelled before a focus server accepted it")
        case Loss.GONE:
            error = _lost("is gone: it died or was stopped while it worked on the goal")
        case Loss.FORGOTTEN:
            error = _lost("was restarted while it worked on the goal, and no longer knows it")
        case Loss.SILENT:
            error = _lost(f"did not answer for {LOST_AFTER_S:g} s: it hangs, or was stopped or killed")
        case Loss.STUCK:
            error = _lost(f"did not end the goal within {restore_s:g} s of its cancellation")
    return error


def _lost(what: str) -> ServerLostError:
    return ServerLostError(
        f"the focus server {what}. Lens and exposure may not be restored: "
        "look at its log and at `dasha doctor`, then try again"
    )
