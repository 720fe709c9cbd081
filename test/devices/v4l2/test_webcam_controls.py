"""What a webcam's controls take, and that automatic functions come back, whatever ends the process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webcam_in_memory import MemoryWebcam

from dasha_ros.devices.errors import DeviceError, DeviceLost, DeviceTimeout, OutOfRange
from dasha_ros.devices.v4l2.automatics import TakenControls
from dasha_ros.devices.v4l2.camera import WebcamCamera, WebcamSettings
from dasha_ros.devices.v4l2.controls import Control, ControlId, chosen_controls, need_range, plain_name
from dasha_ros.devices.v4l2.gain import GainScale
from dasha_ros.devices.v4l2.lens import WebcamLens
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.optics.thin_lens import LinearLens

SHARPNESS = Control(0x0098091B, "sharpness", 0, 7, 1, 3)
AUTOMATICS = ("auto_exposure", "auto_white_balance")


@pytest.fixture
def device(tmp_path: Path) -> MemoryWebcam:
    return MemoryWebcam(ManualClock(), tmp_path)


def camera(device: MemoryWebcam, **settings: object) -> WebcamCamera:
    return WebcamCamera(WebcamSettings(**settings), device.clock, device.access)


def lens(device: MemoryWebcam) -> WebcamLens:
    return WebcamLens(clock=device.clock, access=device.access)


def values(device: MemoryWebcam) -> dict[str, int]:
    return {control.name: device.states.get(control.name) for control in device.states.controls}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Focus, Absolute", "focus_absolute"),
        ("Exposure Time, Absolute", "exposure_time_absolute"),
        ("White Balance, Automatic", "white_balance_automatic"),
        ("Focus, Automatic Continuous", "focus_automatic_continuous"),
        ("  odd -- name (2) ", "odd_name_2"),
    ],
)
def test_names_are_those_that_people_see(text: str, name: str) -> None:
    assert plain_name(text) == name


@given(
    st.integers(-1000, 1000),
    st.integers(1, 3000),
    st.integers(1, 100),
    st.floats(-1e6, 1e6, allow_nan=False),
)
def test_the_nearest_value_is_one_that_the_device_has(low: int, span: int, step: int, wanted: float) -> None:
    control = Control(1, "any", low, low + span, step, low)
    allowed = range(low, low + span + 1, step)
    nearest = control.nearest(wanted)
    assert nearest in allowed
    assert abs(nearest - wanted) <= min(abs(value - wanted) for value in allowed) + 1e-6


@given(st.integers(0, 64), st.integers(65, 4095))
def test_a_gain_comes_back_from_its_dB(low: int, high: int) -> None:
    scale = GainScale(Control(1, "gain", low, high, 1, low))
    for value in {low, low + 1, (low + high) // 2, high}:
        assert scale.value(scale.db(value)) == value
    assert scale.db(low) == 0.0


def test_a_control_that_has_vanished_when_the_webcam_comes_back_is_told(device: MemoryWebcam) -> None:
    focus = lens(device)
    focus.open()
    device.unplug()
    with pytest.raises(DeviceLost, match="was lost"):
        focus.move(100.0)
    device.has_focus = False
    device.plug()
    for _ in range(2):
        with pytest.raises(DeviceLost, match=r"no focus motor .* only its exposure can be set"):
            focus.open()
    device.unplug()
    device.has_focus = True
    device.plug()
    focus.open()
    assert focus.move(100.0).position == 100.0


def test_a_control_that_cannot_be_set_is_no_gain() -> None:
    assert GainScale.of(Control(1, "gain", 0, 0, 1, 0)) is None
    assert GainScale.of(Control(1, "gain", 0, 10, 1, 0, writable=False)) is None
    assert GainScale.of(None) is None


@pytest.mark.parametrize(
    ("control", "says"),
    [
        (Control(1, "focus_absolute", 250, 0, 5, 0), "goes from 250 to 0 in steps of 5, which is no range"),
        (Control(1, "focus_absolute", 0, 250, 0, 0), "in steps of 0, which is no range"),
        (Control(1, "focus_absolute", 7, 7, 1, 7), "from 7 to 7"),
        (Control(1, "focus_absolute", 0, 250, 5, 0, writable=False), "does not let anybody set"),
    ],
)
def test_a_device_that_lies_about_a_range_is_refused_with_one_sentence(control: Control, says: str) -> None:
    with pytest.raises(DeviceLost, match=says):
        need_range({ControlId.FOCUS_ABSOLUTE: control}, ControlId.FOCUS_ABSOLUTE, "webcam X")


def test_controls_are_named_by_name_or_number() -> None:
    controls = {SHARPNESS.id: SHARPNESS}
    assert chosen_controls(controls, ["sharpness=0"]) == {SHARPNESS.id: 0}
    assert chosen_controls(controls, ["0x98091b=0x7"]) == {SHARPNESS.id: 7}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hue=1", "none of that name or number; it has sharpness"),
        ("12=1", "none of that name or number"),
        ("sharpness", "NAME=VALUE"),
        ("sharpness=much", "NAME=VALUE"),
        ("sharpness=8", "from 0 to 7"),
    ],
)
def test_a_control_that_is_not_there_is_refused_with_one_sentence(text: str, says: str) -> None:
    with pytest.raises(OutOfRange, match=says):
        chosen_controls({SHARPNESS.id: SHARPNESS}, [text])


def test_automatic_functions_are_off_while_the_device_is_open_and_come_back(device: MemoryWebcam) -> None:
    before = values(device)
    eye, focus = camera(device, power_line_hz=60), lens(device)
    eye.open()
    focus.open()
    open_values = values(device)
    assert [open_values[name] for name in (*AUTOMATICS, "auto_focus", "power_line")] == [1, 0, 0, 2]
    eye.set_exposure(3_000.0)
    focus.move(100.0)
    eye.close()
    focus.close()
    # The lens stays where it is until its automatic focus moves it.
    assert values(device) == before | {"focus": 100}


def test_a_killed_process_leaves_a_note_and_the_next_one_gives_back(
    device: MemoryWebcam, tmp_path: Path
) -> None:
    before = values(device)
    eye = camera(device)
    eye.open()
    # What a killed process leaves: the device as it was, and the note, which nobody locks any more.
    taken = eye._webcam._taken
    assert taken is not None
    taken.end()
    device.streaming = None
    successor = camera(device)
    successor.open()
    assert values(device) != before
    successor.close()
    assert values(device) == before


def test_a_note_outlives_kill_minus_nine(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from webcam_in_memory import MemoryWebcam\n"
        "from dasha_ros.devices.v4l2.lens import WebcamLens\n"
        "from dasha_ros.freshness.clock import ManualClock\n"
        "device = MemoryWebcam(ManualClock(), Path(sys.argv[1]))\n"
        "WebcamLens(access=device.access).open()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        timeout=600,
        check=False,
    )
    (note,) = tmp_path.glob("*.json")
    assert json.loads(note.read_text()) == {str(int(ControlId.FOCUS_AUTOMATIC_CONTINUOUS)): 1}


def test_a_note_that_was_cut_off_is_no_obstacle(device: MemoryWebcam, tmp_path: Path) -> None:
    before = values(device)
    lens(device).open()  # and its process ends at once
    (note,) = tmp_path.glob("*.json")
    note.write_text('{"1009')
    focus = lens(device)
    focus.open()
    focus.close()
    # What it was before is lost, but everything works.
    assert values(device) == before | {"auto_focus": 0}


def test_two_graphs_cannot_use_one_webcam(device: MemoryWebcam) -> None:
    first, second = lens(device), lens(device)
    first.open()
    with pytest.raises(DeviceLost, match=r"another process already uses the lens of .* stop that graph"):
        second.open()
    first.close()
    second.open()


def test_a_control_that_refuses_to_come_back_is_named(device: MemoryWebcam) -> None:
    focus = lens(device)
    focus.open()
    device.knobs.refuse.add("auto_focus")
    focus.close()
    assert focus.describe()["not given back"] == "focus_automatic_continuous"


def test_taken_controls_of_a_lost_device_stay_noted(device: MemoryWebcam, tmp_path: Path) -> None:
    before = values(device)
    focus = lens(device)
    focus.open()
    device.unplug()
    focus.close()
    device.plug()
    device.states.set("auto_focus", 0)  # as if power had not been lost
    focus.open()
    focus.close()
    assert values(device) == before


def test_a_folder_that_cannot_be_written_is_one_sentence(device: MemoryWebcam, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DeviceLost, match="can't be written"):
        TakenControls("webcam", "lens", tmp_path / "file").begin()


def test_a_refused_exposure_is_one_sentence_and_changes_nothing(device: MemoryWebcam) -> None:
    eye = camera(device)
    eye.open()
    in_force = eye.set_exposure(3_000.0)
    device.knobs.refuse.add("exposure_time")
    with pytest.raises(DeviceError, match="refused setting exposure_time_absolute to 50"):
        eye.set_exposure(5_000.0)
    assert eye.capture().exposure_us == in_force


def test_a_webcam_without_a_focus_motor_exposes_only(tmp_path: Path) -> None:
    device = MemoryWebcam(ManualClock(), tmp_path, has_focus=False)
    eye = camera(device)
    eye.open()
    assert eye.capture() is not None
    with pytest.raises(DeviceLost, match=r"no focus motor .* only its exposure can be set"):
        lens(device).open()


def test_other_controls_are_set_and_come_back(tmp_path: Path) -> None:
    device = MemoryWebcam(ManualClock(), tmp_path, extra=(SHARPNESS,))
    with pytest.raises(DeviceLost, match="refused setting sharpness to 0"):
        camera(device, controls=("sharpness=0",)).open()
    with pytest.raises(OutOfRange, match="none of that name"):
        camera(device, controls=("hue=0",)).open()
    eye = camera(device, controls=("power_line_frequency=2",))
    eye.open()
    assert device.states.get("power_line") == 2
    eye.close()
    assert device.states.get("power_line") == 1


def test_another_program_holds_the_stream(device: MemoryWebcam) -> None:
    stranger = device.open(device.found)
    stranger.start(stranger.formats()[0])
    with pytest.raises(DeviceLost, match="another program uses"):
        camera(device).open()
    stranger.close()
    camera(device).open()


def test_limits_and_steps_are_the_devices_own(device: MemoryWebcam) -> None:
    eye, focus = camera(device), lens(device)
    limits = eye.open()
    assert (limits.exposure_min_us, limits.exposure_max_us) == (100.0, 500_000.0)
    assert eye.set_exposure(3_049.0) == 3_000.0
    focus.open()
    info = focus.info
    assert (info.unit, info.position_min, info.position_max, info.resolution) == ("steps", 0.0, 250.0, 5.0)
    assert not info.is_calibrated


def test_a_profile_must_be_of_this_lens(device: MemoryWebcam) -> None:
    other = LinearLens("motor", "steps", 0.0, 1023.0, dioptres_per_unit=0.01)
    with pytest.raises(DeviceLost, match="is of a lens from 0 to 1023 steps"):
        WebcamLens(clock=device.clock, profile=other, access=device.access).open()
    with pytest.raises(ValueError, match="is in D, and a webcam's lens takes steps"):
        WebcamLens(profile=LinearLens("liquid", "D", -2.0, 3.0))
    mine = LinearLens("mine", "steps", 0.0, 250.0, dioptres_per_unit=0.02)
    mapped = WebcamLens(clock=device.clock, profile=mine, access=device.access)
    mapped.open()
    assert mapped.info.is_calibrated
    assert mapped.info.resolution == 5.0


def test_a_control_that_refused_to_come_back_comes_back_the_next_time(device: MemoryWebcam) -> None:
    before = values(device)
    focus = lens(device)
    focus.open()
    device.knobs.refuse.add("auto_focus")
    focus.close()
    assert values(device)["auto_focus"] == 0
    device.knobs.refuse.clear()
    focus.open()
    focus.close()
    assert values(device) == before


def test_a_lens_that_another_program_moves_has_a_fault_until_it_is_moved_again(device: MemoryWebcam) -> None:
    focus = lens(device)
    focus.open()
    reading = focus.move(100.0)
    assert reading.faults == ()
    device.clock.advance(round(reading.settle_s * 1e9) + 1)
    assert focus.read().faults == ()
    device.states.set("focus", 150)
    assert focus.read().position == 150.0
    (fault,) = focus.read().faults
    assert fault == "another program moved the lens from 100 to 150 steps; the next move mends it"
    assert focus.move(100.0).faults == ()
    assert focus.read().faults == ()


def test_a_stream_may_take_its_time_to_start(device: MemoryWebcam) -> None:
    begun_ns = device.clock.now_ns()
    device.lose = lambda _: device.clock.now_ns() - begun_ns < 3_000_000_000
    eye = camera(device)
    eye.open()
    assert eye.capture() is not None
    # Later, a silence of three seconds is no start any more.
    device.lose = lambda _: True
    with pytest.raises(DeviceTimeout, match="sent no frame that answers within"):
        eye.capture()
    assert device.clock.now_ns() - begun_ns < 5_000_000_000
