"""The emulated webcam's controls, pictures, port and console, without a host."""

from __future__ import annotations

import dataclasses
import socket
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.cli import app
from dasha_ros.devices.v4l2.pixels import decode
from dasha_ros.devices.v4l2.port import PictureFormat
from dasha_ros.emulators.webcam.console import run_webcam
from dasha_ros.emulators.webcam.controls import ControlStates, Shown, WebcamKnobs
from dasha_ros.emulators.webcam.device import WebcamEmulator
from dasha_ros.emulators.webcam.optics import WEBCAM_LENS
from dasha_ros.emulators.webcam.pictures import FORMATS, PictureSize, TwinPainter, encode
from dasha_ros.emulators.webcam.vhci import KernelError, free_port, plug
from dasha_ros.optics.profiles import lens_model
from dasha_ros.perception.quality.sharpness import Sharpness
from dasha_ros.twin.world import World, WorldError

SIZE = PictureSize(64, 48, 30.0)
STATUS = (
    "hub port sta spd dev      sockfd local_busid\n"
    "hs  0000 006 003 00010001 000007 1-1\n"
    "hs  0001 004 000 00000000 000000 0-0\n"
    "ss  0008 004 000 00000000 000000 0-0\n"
)
MILLISECOND = 1_000_000


def manual(knobs: WebcamKnobs) -> ControlStates:
    states = ControlStates(knobs)
    assert states.set("auto_exposure", 1)
    assert states.set("auto_focus", 0)
    return states


@given(st.integers(0, 6), st.integers(0, 6), st.lists(st.integers(1, 5000), min_size=1, max_size=20))
def test_each_setting_shows_after_its_own_lag(exposure_lag: int, focus_lag: int, values: list[int]) -> None:
    knobs = WebcamKnobs(exposure_lag, focus_lag, focus_time_constant_s=0.0, focus_play=0.0)
    states = manual(knobs)
    exposures, positions = [156] * exposure_lag, [0] * focus_lag
    for frame, value in enumerate(values):
        position = value % 51 * 5
        states.set("exposure_time", value)
        states.set("focus", position)
        assert (states.get("exposure_time"), states.get("focus")) == (value, position)
        exposures.append(value)
        positions.append(position)
        shown = states.begin_frame(frame * 33 * MILLISECOND)
        assert shown.exposure_us == 100.0 * exposures[frame]
        assert shown.focus_dioptres == pytest.approx(WEBCAM_LENS.dioptres(positions[frame]))


def test_a_lens_takes_its_time_and_has_play() -> None:
    states = manual(WebcamKnobs(focus_lag=0, focus_time_constant_s=0.1, focus_play=10.0))
    states.begin_frame(0)
    states.set("focus", 100)
    frames = [
        states.begin_frame(milliseconds * MILLISECOND).focus_dioptres for milliseconds in (1, 101, 2000)
    ]
    start, target = WEBCAM_LENS.dioptres(0.0), WEBCAM_LENS.dioptres(90.0)
    assert frames[0] == pytest.approx(start, abs=0.03)
    assert frames[1] == pytest.approx(target + (start - target) * np.exp(-1.0), rel=1e-3)
    assert frames[2] == pytest.approx(target, abs=1e-6)


def test_the_focus_has_steps() -> None:
    states = manual(WebcamKnobs())
    states.set("focus", 103)
    assert states.get("focus") == 105


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("colour", [False, True])
def test_pictures_survive_their_format(name: str, colour: bool) -> None:
    y, x = np.mgrid[0:48, 0:64]
    picture = np.stack([40 + 2 * x, 200 - 3 * y, 30 + x + y], -1).astype(np.uint8)
    picture = picture if colour else np.ascontiguousarray(picture[..., 0])
    decoded = decode(
        encode(picture, name),
        PictureFormat(name, 64, 48, 30.0),
        "rgb8" if colour and name != "GREY" else "mono8",
    )
    if colour and name == "GREY":
        picture = np.rint(picture @ (0.299, 0.587, 0.114)).astype(np.uint8)
    assert np.abs(decoded.astype(int) - picture).mean() < 5.0


def test_the_twin_is_painted_at_the_settings_in_force(chart_world: World) -> None:
    painter = TwinPainter(SIZE, world=chart_world, seed=0)
    sharp, blurred = (painter(Shown(20_000.0, 1.0, dioptres)) for dioptres in (1.0, 4.0))
    assert Sharpness(sharp).frame() > 2.0 * Sharpness(blurred).frame()
    dark = painter(Shown(2_000.0, 1.0, 1.0))
    assert sharp.mean() > dark.mean() + 10
    assert painter(Shown(2_000.0, 4.0, 1.0)).mean() > dark.mean() + 5
    assert painter(Shown(2_000.0, 1.0, 1.0)).shape == (48, 64)


def test_an_equal_picture_is_not_painted_again_unless_the_world_changed(chart_world: World) -> None:
    painter = TwinPainter(SIZE, world=chart_world)
    one = painter(Shown(20_000.0, 1.0, 1.0))
    assert painter(Shown(20_000.0, 1.0, 1.001)) is one
    painter.set_world(World(scene=chart_world.scene, illuminance_lx=10.0))
    assert painter(Shown(20_000.0, 1.0, 1.0)).mean() < one.mean()


def test_a_lamp_is_refused(chart_world: World) -> None:
    lamp = dataclasses.replace(chart_world, lamp_hz=100.0)
    with pytest.raises(WorldError, match="lamp_hz is 100 Hz; the emulated webcam shows steady light only"):
        TwinPainter(SIZE, world=lamp)
    said = said_by(["world lamp_hz=100", "world lamp_hz=0"], chart_world)
    assert said[1].startswith("error: the world's lamp_hz is 100 Hz")
    assert "lamp_hz=0.0" in said[2]


def test_the_documented_map_is_that_of_the_emulated_lens(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/how-to/use-the-emulators.md").read_text()
    profile = tmp_path / "webcam.yaml"
    profile.write_text(page.split("```yaml\n")[1].split("```")[0])
    table = lens_model(profile)
    assert (table.unit, table.position_min, table.position_max) == ("steps", 0.0, 250.0)
    assert table.drive.step == WEBCAM_LENS.drive.step
    assert table.drive.hysteresis == WEBCAM_LENS.drive.hysteresis
    for position in range(0, 251, 5):
        assert table.dioptres(position) == pytest.approx(WEBCAM_LENS.dioptres(position))


def test_a_free_port_is_found() -> None:
    assert free_port(STATUS) == 1
    with pytest.raises(KernelError, match="all virtual USB ports are taken"):
        free_port(STATUS.replace("0001 004", "0001 006"))


def test_the_kernel_is_told_which_socket_to_ask(tmp_path: Path) -> None:
    (tmp_path / "status").write_text(STATUS)
    ours, kernels = socket.socketpair()
    with ours, kernels:
        assert plug(kernels, tmp_path) == 1
        assert (tmp_path / "attach").read_text() == f"1 {kernels.fileno()} 65537 3"


def test_a_kernel_without_the_modules_is_told_how_to_get_them(tmp_path: Path) -> None:
    ours, kernels = socket.socketpair()
    with ours, kernels, pytest.raises(KernelError, match="sudo modprobe -a vhci-hcd uvcvideo"):
        plug(kernels, tmp_path)


def said_by(lines: list[str], world: World) -> list[str]:
    said: list[str] = []
    painter = TwinPainter(SIZE, world=world)
    emulator = WebcamEmulator(SIZE, painter, plug_in=lambda end: None)
    run_webcam(emulator, painter, lines, said.append)
    assert not emulator.plugged
    return said


def test_the_console_obeys(chart_world: World) -> None:
    said = said_by(
        [
            "state",
            "set exposure_lag=4 focus_time_constant_s=0.2",
            "refuse focus gain",
            "accept",
            "world illuminance_lx=50",
            "unplug",
            "state",
            "plug",
            "unplug 0",
        ],
        chart_world,
    )
    assert said[0] == "webcam plugged in"
    assert said[1].startswith("plugged in, auto_exposure=8 exposure_time=156 focus=0")
    assert said[2:5] == [
        "set exposure_lag=4 focus_time_constant_s=0.2",
        "refuses focus gain",
        "refuses nothing",
    ]
    assert "illuminance_lx=50.0" in said[5]
    assert said[6:] == ["unplugged", "unplugged", "plugged in", "plugged in again"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("set exposure_lag=-1", "must not be negative"),
        ("set exposure_lag=1.5", "exposure_lag takes a whole number, not '1.5'"),
        ("set focus_play=much", "focus_play takes a number, not 'much'"),
        ("set focus_play=nan", "focus_play is nan; it must not be negative, or without end"),
        ("world scene=it's", "No closing quotation"),
        ("set speed=1", "'speed' is no knob"),
        ("set refuse=1", "'refuse' is no knob"),
        ("refuse zoom", "'zoom' is no control"),
        ("world colour=red", "'colour' can't be set"),
        ("dance", "unplug [SECONDS]"),
    ],
)
def test_a_wrong_line_is_answered_and_changes_nothing(line: str, says: str, chart_world: World) -> None:
    assert says in said_by([line], chart_world)[1]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--width", "63"], "must be even"),
        (["--scene", "nowhere"], "nowhere"),
        (["--rate", "0"], "--rate"),
    ],
)
def test_impossible_options_are_refused_with_a_sentence(options: list[str], says: str) -> None:
    from typer.testing import CliRunner

    answer = CliRunner().invoke(app, ["emulate", "webcam", *options])
    assert answer.exit_code == 2
    assert says in answer.output
