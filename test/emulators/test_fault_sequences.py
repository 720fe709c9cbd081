"""A short run of random faults; ``DASHA_SOAK=1`` runs the full number.

``python -m dasha_ros.emulators.fault_sequences.run`` is the same as a program.
"""

from __future__ import annotations

import os
from random import Random
from typing import Any

import pytest
from numpy.typing import NDArray

from dasha_ros.devices.camera import CameraLimits
from dasha_ros.devices.errors import DeviceTimeout
from dasha_ros.devices.pylon.camera import PylonCamera
from dasha_ros.devices.pylon.frames import FrameReader
from dasha_ros.devices.varioptic.lens import VariopticLens
from dasha_ros.emulators.fault_sequences import run as program
from dasha_ros.emulators.fault_sequences.camera import CameraFaults
from dasha_ros.emulators.fault_sequences.lens import LensFaults
from dasha_ros.emulators.fault_sequences.promises import PromiseBroken, Tally, play_sequences

FULL = bool(os.environ.get("DASHA_SOAK"))
LENS_SEQUENCES, OPTOTUNE_SEQUENCES, CAMERA_SEQUENCES = (1000, 500, 200) if FULL else (25, 12, 8)
SEED = 2


def test_the_lens_port_keeps_its_promises() -> None:
    with LensFaults() as player:
        tally = play_sequences("lens", player.play, LENS_SEQUENCES, SEED)
    print(f"lens, seed {SEED}: {tally}")
    assert tally.sequences == tally.recoveries == LENS_SEQUENCES
    assert len(tally.faults) >= 10
    assert tally.longest_call_s < 5.0


def test_the_optotune_port_keeps_its_promises() -> None:
    with LensFaults("optotune") as player:
        tally = play_sequences("optotune", player.play, OPTOTUNE_SEQUENCES, SEED)
    print(f"optotune, seed {SEED}: {tally}")
    assert tally.sequences == tally.recoveries == OPTOTUNE_SEQUENCES
    assert len(tally.faults) >= 10
    assert tally.longest_call_s < 5.0


def test_the_camera_keeps_its_promises() -> None:
    with CameraFaults() as player:
        tally = play_sequences("camera", player.play, CAMERA_SEQUENCES, SEED)
    print(f"camera, seed {SEED}: {tally}")
    assert tally.sequences == tally.recoveries == CAMERA_SEQUENCES
    assert len(tally.faults) >= 5
    assert tally.longest_call_s < 5.0


def test_a_driver_that_trusts_acknowledgements_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = VariopticLens.move

    def hasty(self: VariopticLens, position: float) -> object:
        try:
            return honest(self, position)
        except DeviceTimeout:
            self._in_force = position  # "it will have arrived"
            return self._reading()

    monkeypatch.setattr(VariopticLens, "move", hasty)
    with (
        LensFaults() as player,
        pytest.raises(PromiseBroken, match=rf"lens, --seed {SEED} --first \d+: .*reported as active"),
    ):
        play_sequences("lens", player.play, 40, SEED)


def test_a_driver_that_forgets_its_settings_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = PylonCamera.open

    def forgetful(self: PylonCamera) -> CameraLimits:
        self._exposure_us = self.settings.exposure_us
        return honest(self)

    monkeypatch.setattr(PylonCamera, "open", forgetful)
    with (
        CameraFaults() as player,
        pytest.raises(PromiseBroken, match=r"of 1000\.0 us"),
    ):
        play_sequences("camera", player.play, 20, SEED)


def test_a_driver_that_returns_an_old_picture_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = FrameReader.pixels
    shown: list[NDArray[Any]] = []

    def late(self: FrameReader, result: object) -> NDArray[Any]:
        shown.append(honest(self, result))
        return shown[max(0, len(shown) - 2)]

    monkeypatch.setattr(FrameReader, "pixels", late)
    with CameraFaults() as player, pytest.raises(PromiseBroken, match="is stale"):
        play_sequences("camera", player.play, 20, SEED)


def test_a_sequence_can_be_repeated_by_its_number() -> None:
    def draw(random: Random, tally: Tally) -> None:
        tally.faults[str(random.random())] += 1

    alone = play_sequences("x", draw, 1, seed=5, first=3).faults
    assert alone.keys() < play_sequences("x", draw, 6, seed=5).faults.keys()
    assert alone != play_sequences("x", draw, 1, seed=6, first=3).faults


def test_the_program_prints_count_and_seed(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--lens", "1", "--optotune", "1", "--camera", "1", "--seed", "9"]) == 0
    lens, _, _, optotune, *_, faults = capsys.readouterr().out.splitlines()
    assert lens.startswith("lens: seed 9")
    assert optotune.startswith("optotune: seed 9")
    assert "1 sequences, 1 recoveries" in lens
    assert "faults" in faults


def test_the_program_ends_with_1_when_a_promise_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lie(self: LensFaults, random: Random, tally: Tally) -> None:
        raise PromiseBroken("the moon is made of cheese")

    monkeypatch.setattr(LensFaults, "play", lie)
    assert program.main(["--lens", "1", "--optotune", "0", "--camera", "0", "--first", "7"]) == 1
    assert "--seed 1 --first 7: the moon" in capsys.readouterr().err
