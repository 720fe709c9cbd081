"""Restarts, refusals, lost frames and metadata, strangers: seeded sequences of faults of a driver."""

from __future__ import annotations

import pytest
from device_faults import ros_driver

from dasha_ros.emulators.fault_sequences.promises import play_sequences

SEQUENCES, PARTS, SEED = 200, 4, 1


@pytest.mark.parametrize("part", range(PARTS))
def test_every_sequence_of_faults_ends_well(part: int) -> None:
    count = SEQUENCES // PARTS
    tally = play_sequences("ros_driver", ros_driver.play, count, SEED, part * count)
    assert tally.sequences == tally.recoveries == count
    assert set(tally.faults) == set(ros_driver.FAULTS)
    assert tally.calls["camera capture done"] > 2 * count
