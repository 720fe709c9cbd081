"""Cables, refusals, strangers and lost frames in any order: 500 seeded sequences on a webcam in memory."""

from __future__ import annotations

import pytest
from device_faults import webcam

from dasha_ros.emulators.fault_sequences.promises import play_sequences

SEQUENCES, PARTS, SEED = 500, 4, 1


@pytest.mark.parametrize("part", range(PARTS))
def test_any_order_of_faults_leaves_a_webcam_that_works(part: int) -> None:
    count = SEQUENCES // PARTS
    tally = play_sequences("webcam", webcam.play, count, SEED, part * count)
    assert tally.sequences == tally.recoveries == count
    assert set(tally.faults) == set(webcam.FAULTS)
    assert tally.calls["camera capture done"] > 2 * count
