"""Cables, freezes, lost packets and rivals in any order, on Aravis' fake camera."""

from __future__ import annotations

import pytest
from device_faults.genicam import GenicamFaults

from dasha_ros.emulators.fault_sequences.promises import play_sequences

SEQUENCES, SEED = 2, 1


@pytest.mark.slow
def test_any_order_of_faults_leaves_a_camera_that_works() -> None:
    with GenicamFaults() as player:
        tally = play_sequences("aravis", player.play, SEQUENCES, SEED)
    print(f"aravis, seed {SEED}: {tally}")
    assert tally.sequences == tally.recoveries == SEQUENCES
    assert len(tally.faults) >= 3
