"""Decides when to take a preview: a picture that no command waits for."""

from __future__ import annotations

import random
from typing import Literal

from dasha_ros.freshness.clock import Clock

_CALM_NS = 1_000_000_000
"""The next command often follows soon: a preview in between would delay its picture."""
_STREAM_FROM_HZ = 10.0
"""A slower preview is triggered: a stream has to stop before a commanded picture, which may take a period."""
_UNEVEN_NS = 50_000_000
"""Triggered previews come up to so much before their time, by chance: at most even rates, every picture
would meet a lamp in the same moment of its flicker, and `perception.quality.flicker` would see nothing. This
is five flickers at 100 Hz and six at 120."""


class PreviewPlan:
    """Schedules previews between commands, so that they delay no commanded picture.

    Attributes:
        mode: ``on_command``: never. ``free_running``: always. ``auto``: not while a goal runs, and not for a
            second after a picture that a command waited for.
        rate_hz: Rate of the preview [Hz]; 0 for none.
        goal_runs: Whether a goal is running.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.mode: Literal["auto", "on_command", "free_running"] = "auto"
        self.rate_hz = 0.0
        self.goal_runs = False
        self._next_ns = self._calm_ns = self._early_ns = 0
        self._random = random.Random(0)

    def taken(self, begun_ns: int, awaited: bool) -> None:
        """Note a picture that was begun at ``begun_ns``; ``awaited`` if a command waited for it."""
        if awaited:
            self._calm_ns = begun_ns + _CALM_NS
        even_ns = begun_ns + self._early_ns + (round(1e9 / self.rate_hz) if self.rate_hz > 0 else 0)
        is_even = self.rate_hz <= 0 or self.rate_hz >= _STREAM_FROM_HZ
        self._early_ns = 0 if is_even else self._random.randrange(_UNEVEN_NS)
        self._next_ns = even_ns - self._early_ns

    @property
    def is_on(self) -> bool:
        """Whether previews are wanted now."""
        if self.rate_hz <= 0 or self.mode == "on_command":
            return False
        return self.mode == "free_running" or (not self.goal_runs and self._clock.now_ns() >= self._calm_ns)

    @property
    def streams(self) -> bool:
        """Whether a camera that can stream should stream."""
        return self.rate_hz >= _STREAM_FROM_HZ and self.is_on

    @property
    def is_due(self) -> bool:
        """Whether the next preview is due."""
        return self.is_on and self._clock.now_ns() >= self._next_ns

    @property
    def due_in_s(self) -> float:
        """Time until the next preview, while previews are on [s]."""
        return max(0.0, (self._next_ns - self._clock.now_ns()) / 1e9)
