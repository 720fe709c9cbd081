"""What a GenICam camera's frames are worth when packets get lost."""

from __future__ import annotations

import numpy as np
import pytest
from fake_genicam import fake_genicam, opened

from dasha_ros.devices.aravis.device import AravisSettings
from dasha_ros.devices.errors import FrameIncomplete

CAPTURES = 25


@pytest.mark.slow
def test_a_frame_that_lost_packets_is_never_delivered() -> None:
    # Frames of 59 packets, of which one in fifty is lost on the way.
    whole = damaged = 0
    with (
        fake_genicam(lost_per_thousand=20) as lossy,
        opened(lossy, AravisSettings(width=320, height=240, margin_s=2.0)) as (camera, _),
    ):
        for _ in range(CAPTURES):
            try:
                frame = camera.capture()
            except FrameIncomplete:
                damaged += 1
                continue
            assert frame is not None
            whole += 1
            # The fake paints a ramp along diagonals, so each row is the one above, moved by a pixel.
            assert np.array_equal(frame.pixels[1:, :-1], frame.pixels[:-1, 1:])
        assert camera.counts["incomplete"] == damaged
    assert damaged > 0
    assert whole > 0
