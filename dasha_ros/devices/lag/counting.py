"""Counts the frames of a stream that runs all the time, to tell which of them answer.

What a back end of such a device shares: the lag after a setting, the lag after a move of the lens, and the
frames that may have been on their way when a picture was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from dasha_ros.devices.lag.latency import MARGIN_FRAMES, Latency
from dasha_ros.freshness.lag import FrameLag


@dataclass(frozen=True, slots=True)
class Counted:
    """What counting tells about a frame."""

    settings: bool
    """It was made under every setting so far, and begun after the capture that waits for it."""
    lens: bool
    """It shows the lens at rest, and its stamp lies after the capture began."""

    @property
    def answers(self) -> bool:
        """Both hold."""
        return self.settings and self.lens


class CountedFrames:
    """Lets frames pass until the measured lag of a device and its margin have passed.

    Not safe for threads.

    Attributes:
        latency: The measured or assumed lag.
        nominal_s: Time between two frames at a short exposure [s]; 0: that of the latency file.
    """

    def __init__(self) -> None:
        self.latency = Latency("")
        self.nominal_s = 0.0
        self._settings, self._lens = FrameLag(), FrameLag()
        self._exposure_us = self._slowest_us = 0.0
        self._rests_ns = 0
        """The latest time that a picture had to wait for."""
        self._begin_ns = 0

    def exposing(self, exposure_us: float) -> None:
        """An exposure is about to be commanded; until the lag has passed, frames of others may still come."""
        before_us = self._slowest_us if self._settings.left else self._exposure_us
        self._slowest_us = max(before_us, exposure_us)
        self._exposure_us = exposure_us

    def commanded(self) -> None:
        """The device took a setting, and every frame that had arrived until then is thrown away."""
        self._settings.commanded(self.latency.exposure_frames + MARGIN_FRAMES)

    def begin(self, now_ns: int, not_before_ns: int, thrown_away: int) -> None:
        """A capture begins.

        Args:
            now_ns: Steady time.
            not_before_ns: When the lens rests.
            thrown_away: Frames that had arrived and were thrown away.
        """
        self._begin_ns = max(now_ns, self._shown_from_ns(not_before_ns))
        for _ in range(thrown_away):
            self._settings.arrived()
            self._lens.arrived()
        # A frame that arrives now may show what was there before this call.
        self._settings.commanded(self.latency.exposure_frames)
        if not_before_ns > self._rests_ns:
            # The lens moved before this call. Its driver counts time; frames may take longer than it knows.
            self._rests_ns = not_before_ns
            self._lens.commanded((self.latency.focus_frames or 0) + MARGIN_FRAMES)

    def end_ns(self, margin_s: float) -> int:
        """Until when the capture may wait; up to half of the frames may be lost on the way [ns]."""
        left = max(self._settings.left, self._lens.left)
        return self._begin_ns + round((margin_s + (2 * left + 3) * self.frame_s) * 1e9)

    @property
    def begin_ns(self) -> int:
        """Frames that began before do not answer the capture [ns]."""
        return self._begin_ns

    def arrived(self, begun_ns: int) -> Counted:
        """A frame arrived whose exposure began at ``begun_ns`` by its stamp."""
        settings, rests = self._settings.arrived(), self._lens.arrived()
        return Counted(settings, rests and begun_ns >= self._begin_ns)

    @property
    def frame_s(self) -> float:
        """The longest time between two frames [s]: a longer exposure slows the stream down."""
        return max(self.nominal_s or self.latency.frame_s, self._slowest_us / 1e6)

    def _shown_from_ns(self, rest_ns: int) -> int:
        """From when on frames show a lens that rests at ``rest_ns``, on the steady clock.

        The driver of the device's own lens has counted the lag. That of another lens knows nothing of it.
        """
        if self.latency.focus_frames is not None:
            return rest_ns
        return rest_ns + round(self.latency.exposure_frames * self.frame_s * 1e9)
