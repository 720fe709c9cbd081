"""How a goal can end: the error codes of the action ``FocusOnObject``, without ROS."""

from __future__ import annotations

from enum import IntEnum


class ErrorCode(IntEnum):
    """The constants of ``action/FocusOnObject.action``; a test compares the two."""

    NONE = 0
    EXPOSURE_NOT_REACHED = 201
    OBJECT_NOT_FOUND = 202
    QUALITY_NOT_REACHED = 203
    STEPS_EXHAUSTED = 204
    TIME_EXHAUSTED = 205
    CAMERA_LOST = 301
    LENS_LOST = 302
    PERCEPTION_LOST = 303
    EXPOSURE_AGENT_LOST = 304
    FOCUS_AGENT_LOST = 305
    COMMAND_OVERRIDDEN = 306
    PERCEPT_INVALID = 307
    POLICY_MISMATCH = 308
    LEARNER_STOPPED = 309
    CANCELED = 401
    PREEMPTED = 402
    SHUTDOWN = 403
    CLIENT_GONE = 404
    INTERNAL = 500


_ADVICE = {
    ErrorCode.NONE: "Nothing to do.",
    ErrorCode.EXPOSURE_NOT_REACHED: "Change the light, the aperture or the gain; "
    "no exposure time is left to try.",
    ErrorCode.OBJECT_NOT_FOUND: "Check that the object is in view and the detector knows its label, "
    "or lower min_score.",
    ErrorCode.QUALITY_NOT_REACHED: "Improve the light: a noisier picture scores worse. See that the lens can "
    "focus at the object's distance, and repeat the goal. Or raise max_brisque, "
    "or lower the parameter low_level_agent.min_sharp.",
    ErrorCode.STEPS_EXHAUSTED: "Raise max_steps, or start nearer to the focus.",
    ErrorCode.TIME_EXHAUSTED: "Raise max_seconds, or start nearer to the focus.",
    # The driver's own message says what to check; this is what happens next.
    ErrorCode.CAMERA_LOST: "The camera_driver reconnects by itself unless it was deactivated; until then its "
    "diagnostics say why it can't.",
    ErrorCode.LENS_LOST: "The lens_driver reconnects by itself unless it was deactivated; until then its "
    "diagnostics say why it can't.",
    ErrorCode.PERCEPTION_LOST: "Check that the perception node runs and its diagnostics, "
    "or raise the agents' inference_budget_s.",
    ErrorCode.EXPOSURE_AGENT_LOST: "Start high_level_agent again, or activate it, and repeat the goal.",
    ErrorCode.FOCUS_AGENT_LOST: "Start low_level_agent again, or activate it, and repeat the goal.",
    ErrorCode.COMMAND_OVERRIDDEN: "Stop the other node that publishes exposure or lens commands, "
    "then repeat the goal.",
    ErrorCode.PERCEPT_INVALID: "Look at the camera's picture and perception's diagnostics: "
    "a value was not a finite number.",
    ErrorCode.POLICY_MISMATCH: "Choose a policy that fits the graph (parameter policy of the agents, "
    "encoder of perception), or train one.",
    ErrorCode.LEARNER_STOPPED: "When the cause is gone, deactivate and activate the agent: it goes on from "
    "its last update.",
    ErrorCode.CANCELED: "Send a new goal when ready.",
    ErrorCode.PREEMPTED: "Follow the newer goal.",
    ErrorCode.SHUTDOWN: "Activate the node again, then repeat the goal.",
    ErrorCode.CLIENT_GONE: "Send the goal again from a program that waits for its end.",
    ErrorCode.INTERNAL: "This is a bug; the log says where. If it is in a policy or class of your own, mend "
    "it; else please report it with this message and the log.",
}


def advice(code: ErrorCode | int) -> str:
    """What to do about an error code, as a sentence.

    Raises:
        ValueError: No such code.
    """
    return _ADVICE[ErrorCode(code)]


def explain(code: ErrorCode | int, what_happened: str) -> str:
    """What happened and what to do: the text of an action's ``error_msg``. Empty for ``NONE``.

    Raises:
        ValueError: No such code.
    """
    code = ErrorCode(code)
    if code is ErrorCode.NONE:
        return ""
    what = what_happened.strip().rstrip(".")
    return f"{what}{'' if what.endswith(('?', '!')) else '.'} {_ADVICE[code]}"
