"""A^H under lamps that flicker: exposures of whole flickers, where perception saw that the light does."""

from __future__ import annotations

from dataclasses import replace

from dasha_ros.optics.exposure_table import LAMPS_HZ, ExposureTable, flicker_shown
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.policy import ExposureDecision, ExposurePolicy, ExposureRule, ExposureTask
from dasha_ros.policies.reached import MEAN_GREY

_STEADY = 0.02
"""An exposure that shows at most this share of a flicker's depth is as good as whole: cameras round, and from
16 flickers on all are."""


def steady_table(task: ExposureTask, flicker_hz: float) -> ExposureTable:
    """The table of a goal in light that flickers so.

    Args:
        task: The goal. A table that is free of some flicker already stays as it is.
        flicker_hz: Of the light [Hz]; what is not one of `LAMPS_HZ` does not count.
    """
    if not task.heeds_flicker or task.table.mains_hz or flicker_hz not in LAMPS_HZ:
        return task.table
    return task.table.free_of_flicker(flicker_hz / 2.0)


def flicker_note(flicker_hz: float, exposure_us: float) -> str:
    """What flicker does to pictures of an exposure, for people; empty: nobody saw any.

    Args:
        flicker_hz: Of the light [Hz]; 0: not that anybody saw.
        exposure_us: Exposure time [us].
    """
    if not flicker_hz > 0.0:
        return ""
    flickers = exposure_us * flicker_hz * 1e-6
    what = f"the light flickers at {flicker_hz:g} Hz"
    if flickers < 1.0 - _STEADY:
        return (
            f"{what}, and {exposure_us:g} us are shorter than a flicker: pictures differ in brightness, which"
            " only less light or a smaller aperture would change"
        )
    if flicker_shown(flicker_hz, exposure_us) <= _STEADY:
        return f"{what}; the exposure takes {flickers:.3g}, which evens it out"
    return f"{what}; the exposure takes {flickers:.3g}, so pictures differ a little in brightness"


class SteadyExposure:
    """A policy of A^H in the light that its first picture reports; see `ExposurePolicy`.

    Under a lamp, all that the policy commands is rounded to whole flickers. If it wants nothing better than
    the first picture, whose exposure is not whole, one step leads to the nearest whole one.
    """

    def __init__(self, policy: ExposurePolicy) -> None:
        """``policy``: Decides."""
        self._policy, self.name = policy, policy.name
        self._task: ExposureTask | None = None
        self._acted = self._stepped = False

    @property
    def rule(self) -> ExposureRule:
        """See `ExposurePolicy`."""
        return self._policy.rule

    @property
    def table(self) -> ExposureTable:
        """What the decisions are indices of.

        Raises:
            RuntimeError: `reset` was never called.
        """
        return self._begun().table

    def reset(self, task: ExposureTask) -> None:
        """Begin a new episode."""
        self._task, self._acted, self._stepped = task, False, False
        self._policy.reset(task)

    def act(self, percept: Percept) -> ExposureDecision:
        """Decide from the percept that answers the last command.

        Raises:
            RuntimeError: `reset` was never called.
        """
        task, is_first = self._begun(), not self._acted
        self._acted = True
        if is_first and (table := steady_table(task, percept.flicker_hz)) is not task.table:
            self._task = replace(task, table=table)
            self._policy.reset(self._task)
        if self._stepped:
            return ExposureDecision(_here(self.table, percept), done=True)
        decision = self._policy.act(percept)
        whole = _whole(self.table, percept) if is_first and decision.done else None
        if whole is None:
            return decision
        self._stepped = True
        return ExposureDecision(whole)

    def _begun(self) -> ExposureTask:
        if self._task is None:
            raise RuntimeError("act before reset: a policy needs a task first")
        return self._task


def _here(table: ExposureTable, percept: Percept) -> int:
    return table.seen(percept.capture.exposure_us, percept.capture.gain_db)


def _whole(table: ExposureTable, percept: Percept) -> int | None:
    """The exposure of whole flickers to go to from a good picture; ``None``: it has one, or is too short.

    The nearest, unless a linear sensor would then make a picture that is not well exposed.
    """
    capture, flicker_us = percept.capture, 5e5 / table.mains_hz if table.mains_hz else 0.0
    has_us = table.asked_us(capture.exposure_us, capture.gain_db)
    longest_us = min(table.gain_from_us, table.t_max_us)
    if not flicker_us or not flicker_us <= has_us <= longest_us:
        return None
    number = has_us / flicker_us
    if flicker_shown(1e6 / flicker_us, has_us) <= _STEADY:
        return None
    near = sorted({int(number), int(number) + 1}, key=lambda n: abs(n - number))
    low, high = MEAN_GREY
    good = [n for n in near if low <= percept.mean_grey * n / number <= high and n * flicker_us <= longest_us]
    index = table.nearest((good or near)[0] * flicker_us)
    # The table leaves what is a little shorter than one flicker as it is.
    return index + 1 if table.exposure_us(index) < flicker_us else index
