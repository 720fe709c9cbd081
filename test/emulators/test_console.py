"""The emulators as programs: lines in, answers out."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import cv2
import numpy as np

from dasha_ros.devices.varioptic.lens import VariopticLens, VariopticSettings
from dasha_ros.emulators.camera.twin_view import TwinView
from dasha_ros.emulators.console import run_camera, run_lens
from dasha_ros.emulators.lens.port import LensEmulatorSettings
from dasha_ros.twin.world import World


def converse(tmp_path: Path, *lines: str) -> list[str]:
    said: list[str] = []
    run_lens(tmp_path / "lens", LensEmulatorSettings(paced=False), lines, said.append)
    return said


def test_commands_pull_cables_and_set_faults(tmp_path: Path) -> None:
    said = converse(
        tmp_path,
        "state",
        "",
        "# a remark",
        "unplug",
        "state",
        "plug",
        "unplug 0.01",
        "set nack=0.5 late_s=0.2",
        "clear",
        "faults 0b101",
        "brown-out",
    )
    assert said[0] == f"lens at {tmp_path / 'lens'}"
    assert said[1] == "plugged in, 24.4000 V, code 0, mode 2, 0 requests"
    assert said[2] == "unplugged"
    assert said[3].startswith("unplugged, 24.4000 V")
    assert said[4:] == [
        "plugged in",
        "plugged in again",
        "set nack=0.5 late_s=0.2",
        "the line is clean",
        "fault register 0x05",
        "restarted in analog mode",
    ]
    assert sorted(os.listdir(tmp_path)) == []


def test_invalid_commands_are_answered(tmp_path: Path) -> None:
    said = converse(tmp_path, "explode", "set nack=2", "set speed=1", "set nack", "faults", "state")
    assert "unplug [SECONDS]" in said[1]
    assert said[2].startswith("error: nack = 2.0")
    assert all(line.startswith("error: ") for line in said[3:6])
    assert said[6].startswith("plugged in")


def test_no_line_ends_the_emulator_or_is_answered_in_the_words_of_a_library(tmp_path: Path) -> None:
    said = converse(
        tmp_path,
        "set scene=it's",
        "set speed=1",
        "set nack=much",
        "unplug soon",
        "unplug inf",
        "unplug nan",
        "unplug -1",
        "faults 0x100",
        "faults",
        "state",
    )
    refused = [line.partition(" (unplug")[0] for line in said[1:-1]]
    assert refused == [
        "error: No closing quotation",
        "error: there is no knob 'speed'",
        "error: nack takes a number, not 'much'",
        "error: unplug takes a number, not 'soon'",
        "error: unplug takes so many seconds, not inf: without any, it lasts until plug",
        "error: unplug takes so many seconds, not nan: without any, it lasts until plug",
        "error: unplug takes so many seconds, not -1: without any, it lasts until plug",
        "error: faults takes the bits of one byte, such as 0b101 or 5",
        "error: faults takes the bits of one byte, such as 0b101 or 5",
    ]
    assert said[-1].startswith("plugged in, 24.4000 V")


def test_the_emulator_serves_until_it_is_stopped(tmp_path: Path) -> None:
    stop, up = threading.Event(), threading.Event()
    server = threading.Thread(
        target=run_lens,
        args=(tmp_path / "lens", LensEmulatorSettings(paced=False), [], lambda _: up.set(), stop),
    )
    server.start()
    assert up.wait(10)
    lens = VariopticLens(VariopticSettings(port=str(tmp_path / "lens")))
    lens.open()
    lens.move(33.0)
    lens.close()
    stop.set()
    server.join(10)
    assert not server.is_alive()


def test_the_camera_obeys_commands(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((48, 64, 3), 128, np.uint8))
    scene = tmp_path / "grey.yaml"
    scene.write_text(
        "description: Grey.\nlayers:\n  - {kind: photograph, photo: grey.png, distance_m: 1.0}\n"
        "objects:\n  - {label: grey, layer: 0}\n"
    )
    view = TwinView(tmp_path / "lens", world=World(scene=str(scene)), width=64, height=48)
    said: list[str] = []
    run_camera(
        tmp_path / "camera",
        view,
        [
            "set illuminance_lx=50 temperature_c=30",
            "set lamp_hz=120 lamp_depth=0.3",
            "set colour=red",
            "set illuminance_lx=dark",
            "set lamp_hz=-1",
            "set scene=nowhere",
        ],
        said.append,
    )
    assert view.camera.world.illuminance_lx == 50.0
    assert view.camera.world.temperature_c == 30.0
    assert (view.camera.world.lamp_hz, view.camera.world.lamp_depth) == (120.0, 0.3)
    assert said[0] == f"pictures at {tmp_path / 'camera'}"
    assert all(line.startswith("error: ") for line in said[3:])
