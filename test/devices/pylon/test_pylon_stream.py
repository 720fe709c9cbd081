"""A free-running stream: how old a frame can be at most."""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dasha_ros.devices.pylon import stream as pylon_stream
from dasha_ros.devices.pylon.stream import PylonStream


class SlowMotion:
    """A stream whose frames arrive at known times, on a clock of its own; only the newest is kept."""

    def __init__(self, arrivals: list[float], late_s: float) -> None:
        self.now, self.arrivals, self.late_s = 0.0, arrivals, late_s
        self.arrived = 0.0
        """Of the frame that was retrieved last."""
        self.grabbing = False

    def IsGrabbing(self) -> bool:
        return self.grabbing

    def IsCameraDeviceRemoved(self) -> bool:
        return False

    def StartGrabbing(self, strategy: Any) -> None:
        self.grabbing = True

    def RetrieveResult(self, timeout_ms: int, handling: Any) -> Any:
        end = self.now + timeout_ms / 1e3
        waiting = [a for a in self.arrivals if a <= self.now]
        coming = [a for a in self.arrivals if self.now < a <= end]
        if waiting:
            self.arrived = waiting[-1]
        elif coming:
            self.arrived = coming[0]
            self.now = coming[0]
        else:
            self.now = end
        self.now += self.late_s  # the thread wakes when the computer lets it
        valid = bool(waiting or coming)
        if valid:
            self.arrivals = [a for a in self.arrivals if a > self.arrived]
        return types.SimpleNamespace(IsValid=lambda: valid)


@given(
    gaps=st.lists(st.floats(0.001, 0.1), min_size=1, max_size=20),
    late_s=st.floats(0.0, 0.02),
    busy_s=st.floats(0.0, 0.1),
)
@example(gaps=[0.0625, 0.00390625], late_s=0.0, busy_s=0.0)
def test_a_preview_frame_is_never_taken_for_newer_than_it_is(
    gaps: list[float], late_s: float, busy_s: float
) -> None:
    # A stamp that is too late would let a frame from before a move of the lens answer for it.
    camera = SlowMotion(list(np.cumsum(gaps)), late_s)
    device = types.SimpleNamespace(set_triggered=lambda on: None, set_frame_rate=lambda rate: rate)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pylon_stream, "time", types.SimpleNamespace(monotonic=lambda: camera.now))
        stream = PylonStream(camera, device, lambda: False)
        stream.start_free(50.0)
        while camera.arrivals:
            if stream.next(1.0, lambda: False, 4) is None:
                continue
            assert stream.arrived_after <= camera.arrived
            if busy_s == late_s == 0.0:
                # Nothing is known of the time before a call that returns at once: it counts twice then.
                slices = 1 if min(gaps) >= 0.004 else 2
                assert camera.arrived - stream.arrived_after <= slices * 0.004 + 1e-9
            camera.now += busy_s
