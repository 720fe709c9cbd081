"""Random faults for lenses whose devices are not on a serial port; ``DASHA_SOAK=1`` runs the full number."""

from __future__ import annotations

import os

import pytest
from device_faults.lenses import play_focuser, play_icc, play_lens_port

from dasha_ros.emulators.fault_sequences.promises import play_sequences

FULL = bool(os.environ.get("DASHA_SOAK"))


def test_the_lens_at_the_camera_s_port_keeps_its_promises() -> None:
    count = 500 if FULL else 50
    tally = play_sequences("lens_port", play_lens_port, count, 2)
    print(f"lens port: {tally}")
    assert tally.sequences == tally.recoveries == count
    assert len(tally.faults) >= 8


def test_the_lens_at_an_icc_keeps_its_promises() -> None:
    count = 500 if FULL else 50
    tally = play_sequences("optotune_icc", play_icc, count, 2)
    print(f"optotune_icc: {tally}")
    assert tally.sequences == tally.recoveries == count
    assert len(tally.faults) == 12


def test_the_focuser_behind_a_server_keeps_its_promises() -> None:
    pytest.importorskip("indipyclient", reason="./scripts/setup --hardware installs it")
    count = 500 if FULL else 4
    tally = play_sequences("indi", play_focuser, count, 2)
    print(f"focuser: {tally}")
    assert tally.sequences == tally.recoveries == count
    assert len(tally.faults) >= 4
