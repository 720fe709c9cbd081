"""What an agent does after its success in a goal that holds: watches, and corrects, until it shall end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dasha_ros.control.rig import RigError, checked
from dasha_ros.control.step import Interrupt
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.hold.exposure_holder import ExposureHolder
from dasha_ros.policies.hold.focus_holder import FocusHolder
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import ExposureTask, FocusTask
from dasha_ros.policies.selection import Choice

HELD_ENDS = frozenset({ErrorCode.CANCELED, ErrorCode.TIME_EXHAUSTED, ErrorCode.PREEMPTED})
"""Reasons to end that leave a held object as it is: whoever asked has had what was asked for."""


@dataclass(frozen=True, slots=True)
class Look:
    """One picture of a held object."""

    percept: Percept
    steps: int
    """Number of commands so far."""
    sharpness: float
    """Of the object: 1 as it was found; NaN where that is not known, and for A^H."""


OnLook = Callable[[Look], None]


def hold_focus(
    look: Callable[[float], Percept],
    task: FocusTask,
    first: Percept,
    on_look: OnLook,
    interrupted: Interrupt,
) -> tuple[ErrorCode, str, int]:
    """Keep an object sharp that A^L has found.

    Args:
        look: Moves the lens to a position, mostly the one where it is, and returns the picture that answers.
        task: The goal that was reached.
        first: The picture in which it was.
        on_look: Told of each picture.
        interrupted: Says when to end.

    Returns:
        Code, what happened, and the number of moves. ``NONE``: it was held until the end.
    """
    holder, choice = FocusHolder(task), Choice(task.selection, task.labels, task.min_score)
    position = first.lens.commanded_position

    def step(percept: Percept) -> tuple[float, float]:
        return holder.act(choice(percept)), holder.sharpness

    return _hold(look, position, step, on_look, interrupted)


def hold_exposure(
    look: Callable[[float], Percept],
    task: ExposureTask,
    first: Percept,
    on_look: OnLook,
    interrupted: Interrupt,
) -> tuple[ErrorCode, str, int]:
    """Follow the light after A^H has found a good exposure; see `hold_focus`."""
    holder = ExposureHolder(task)
    holder.act(first)

    def step(percept: Percept) -> tuple[float, float]:
        return holder.act(percept), float("nan")

    return _hold(
        look,
        task.table.asked_us(first.capture.exposure_us, first.capture.gain_db),
        step,
        on_look,
        interrupted,
    )


def _hold(
    look: Callable[[float], Percept],
    setting: float,
    step: Callable[[Percept], tuple[float, float]],
    on_look: OnLook,
    interrupted: Interrupt,
) -> tuple[ErrorCode, str, int]:
    steps = 0
    while True:
        if (reason := interrupted()) is not None:
            break
        try:
            percept = checked(look(setting))
        except RigError as error:
            reason, what = ErrorCode(error.code), str(error)
            if reason in HELD_ENDS:
                break
            return reason, what, steps
        wanted, sharpness = step(percept)
        steps += wanted != setting
        setting = wanted
        on_look(Look(percept, steps, sharpness))
    if reason in HELD_ENDS:
        return ErrorCode.NONE, "", steps
    return reason, "the object was held until then", steps
