"""When a picture is due that no command waits for."""

from __future__ import annotations

from typing import Literal

from dasha_ros.freshness.clock import Clock

_CALM_NS = 1_000_000_000
"""Who commanded a picture may well command the next: a preview in between would be in its way."""
_STREAM_FROM_HZ = 10.0
"""A slower preview is taken by trigger: a stream has to end before a command's picture, and its end may take
a period."""


class PreviewPlan:
    """Pictures between commands: their rate, and when none may be in a command's way.

    Attributes:
        mode: ``on_command``: no preview. ``free_running``: always. ``auto``: neither while a goal
            runs nor for a second after a picture that a command waited for.
        rate_hz: Rate of the preview [Hz]; 0: none.
        goal_runs: Whether a goal is under way.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.mode: Literal["auto", "on_command", "free_running"] = "auto"
        self.rate_hz = 0.0
        self.goal_runs = False
        self._next_ns = self._calm_ns = 0

    def taken(self, begun_ns: int, awaited: bool) -> None:
        """A picture was taken at ``begun_ns`` of the clock; ``awaited`` if a command waited for it."""
        if awaited:
            self._calm_ns = begun_ns + _CALM_NS
        self._next_ns = begun_ns + (round(1e9 / self.rate_hz) if self.rate_hz > 0 else 0)

    @property
    def is_on(self) -> bool:
        """Whether pictures without a command are wanted now."""
        if self.rate_hz <= 0 or self.mode == "on_command":
            return False
        return self.mode == "free_running" or (not self.goal_runs and self._clock.now_ns() >= self._calm_ns)

    @property
    def streams(self) -> bool:
        """Whether a camera that can run freely should."""
        return self.rate_hz >= _STREAM_FROM_HZ and self.is_on

    @property
    def is_due(self) -> bool:
        """Whether the next picture is due."""
        return self.is_on and self._clock.now_ns() >= self._next_ns

    @property
    def due_in_s(self) -> float:
        """Time to the next picture of a preview that is on [s], on the graph's steady clock."""
        return max(0.0, (self._next_ns - self._clock.now_ns()) / 1e9)
