"""What camera and lens of a focal stack show: the recorded light, a sensor's noise, a response curve."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from stack_maker import level_stack, squares_stack, write_description, write_frames

from dasha_ros.devices.errors import DeviceLost, OutOfRange
from dasha_ros.devices.stack.camera import AS_RECORDED_US, StackCamera
from dasha_ros.devices.stack.description import load_stack
from dasha_ros.devices.stack.frames import StackFrames
from dasha_ros.devices.stack.lens import StackLens, stack_lens
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.optics.sensor import Sensor
from dasha_ros.policies.policy import FocusTask
from dasha_ros.policies.registry import focus_policy


class Bench:
    """Camera and lens of one stack on one clock."""

    def __init__(self, folder: Path, *, step: float = 1.0, **camera: object) -> None:
        self.clock = ManualClock()
        stack = load_stack(folder)
        self.lens = StackLens(self.clock, stack, step=step)
        self.camera = StackCamera(self.clock, stack, step=step, seed=0, **camera)
        self.lens.open()
        self.limits = self.camera.open()

    def picture(
        self, position: float, exposure_us: float = AS_RECORDED_US, gain_db: float = 0.0
    ) -> np.ndarray:
        reading = self.lens.move(position)
        self.camera.set_trajectory(self.lens.trajectory)
        self.camera.set_exposure(exposure_us)
        self.camera.set_gain(gain_db)
        frame = self.camera.capture(self.clock.now_ns() + round(reading.settle_s * 1e9))
        assert frame is not None
        return frame.pixels.astype(float)


def linear(level: float) -> float:
    """IEC 61966-2-1, written again."""
    value = level / 255.0
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


LEVELS = (12, 60, 128, 200, 250)


def test_a_linear_camera_shows_the_light(tmp_path: Path) -> None:
    bench = Bench(level_stack(tmp_path, LEVELS))
    for frame, level in enumerate(LEVELS):
        assert bench.picture(frame).mean() == pytest.approx(255.0 * linear(level), abs=0.2)


def test_an_srgb_camera_shows_what_was_recorded(tmp_path: Path) -> None:
    bench = Bench(level_stack(tmp_path, LEVELS), tone="srgb")
    for frame, level in enumerate(LEVELS):
        assert bench.picture(frame).mean() == pytest.approx(level, abs=1.0)


@pytest.mark.parametrize(
    ("exposure_us", "gain_db", "factor"), [(5_000, 0, 0.5), (20_000, 0, 2), (10_000, 6.02, 2)]
)
@pytest.mark.parametrize("tone", ["linear", "srgb"])
def test_exposure_and_gain_multiply_the_light(
    tmp_path: Path, exposure_us: float, gain_db: float, factor: float, tone: str
) -> None:
    bench = Bench(level_stack(tmp_path, (128, 128)), tone=tone)
    seen = bench.picture(0, exposure_us, gain_db).mean()
    light = linear(seen) if tone == "srgb" else seen / 255.0
    assert light == pytest.approx(factor * linear(128), rel=0.02)


def test_white_fills_the_sensor_and_more_light_is_clipped(tmp_path: Path) -> None:
    bench = Bench(level_stack(tmp_path, (255, 255)))
    assert 252.0 < bench.picture(0).mean() < 255.0
    assert bench.picture(0, 2 * AS_RECORDED_US).mean() == pytest.approx(255.0, abs=0.2)


def test_the_noise_is_the_sensors(tmp_path: Path) -> None:
    """EMVA 1288: the variance in electrons is that of the light, and that of reading them."""
    bench = Bench(level_stack(tmp_path, (188, 188), (256, 192)))
    sensor = Sensor()
    electrons = sensor.full_well_e * linear(188)
    prnu = sensor.prnu * electrons
    expected = np.sqrt(electrons + sensor.read_noise_e**2 + prnu**2) * 255.0 / sensor.full_well_e
    expected = np.hypot(expected, 12**-0.5)  # rounding
    assert bench.picture(0).std() == pytest.approx(expected, rel=0.03)
    assert not np.array_equal(bench.picture(0), bench.picture(0))


def test_whole_steps_show_recorded_frames_only(tmp_path: Path) -> None:
    bench = Bench(level_stack(tmp_path, (0, 188, 255)))
    assert bench.picture(1.4).mean() == pytest.approx(bench.picture(1.0).mean(), abs=0.1)
    assert bench.lens.read().position == 1.0
    assert bench.lens.info.resolution == 1.0


def test_smaller_steps_blend_neighbours_in_linear_light(tmp_path: Path) -> None:
    bench = Bench(level_stack(tmp_path, (0, 188, 255)), step=0.25)
    low, high = linear(188), 1.0
    assert bench.picture(1.25).mean() == pytest.approx(255.0 * (0.75 * low + 0.25 * high), abs=0.4)
    assert bench.lens.read().position == 1.25


def test_the_map_gives_the_measured_blur(tmp_path: Path) -> None:
    stack = load_stack(squares_stack(tmp_path, frames=7))
    lens = stack_lens(stack)
    assert (lens.unit, lens.position_min, lens.position_max) == ("frame", 0.0, 6.0)
    for frame in range(6):
        nearer, farther = lens.dioptres(frame), lens.dioptres(frame + 1)
        assert lens.blur_px(nearer, farther) == pytest.approx(stack.blur_px_per_frame)
    assert lens.dioptres(6.0) == 0.0
    model = StackLens(ManualClock(), stack).info.model()
    assert model.blur_px(model.dioptres(1.0), model.dioptres(4.0)) == pytest.approx(1.5)
    focus_policy("plus").reset(FocusTask(model))


def test_without_a_measured_blur_there_is_no_map(tmp_path: Path) -> None:
    squares_stack(tmp_path)
    info = StackLens(ManualClock(), load_stack(write_description(tmp_path, frames=3))).info
    assert not info.is_calibrated
    assert (info.unit, info.position_min, info.position_max) == ("frame", 0.0, 2.0)


def test_colour(tmp_path: Path) -> None:
    bgr = np.zeros((48, 64, 3), np.uint8)
    bgr[...] = (255, 128, 0)
    folder = write_description(write_frames(tmp_path, [bgr, bgr]), blur_px_per_frame=1.0)
    bench = Bench(folder, encoding="rgb8", tone="srgb")
    assert bench.limits.encoding == "rgb8"
    assert bench.picture(0).mean(axis=(0, 1)) == pytest.approx([0, 128, 255], abs=2.5)
    grey = 0.7152 * linear(128) + 0.0722
    assert Bench(folder).picture(0).mean() == pytest.approx(255.0 * grey, abs=0.2)
    with pytest.raises(ValueError, match="mono16"):
        StackCamera(ManualClock(), load_stack(folder), encoding="mono16")


def test_wide_frames_are_shrunk(tmp_path: Path) -> None:
    wide = np.zeros((400, 4096), np.uint8)
    folder = write_description(write_frames(tmp_path, [wide, wide]), blur_px_per_frame=1.0)
    assert StackFrames(load_stack(folder)).size == (2048, 200)


def test_a_frame_that_spoils_later_loses_the_camera(tmp_path: Path) -> None:
    stack = load_stack(squares_stack(tmp_path))
    content = stack.files[1].read_bytes()
    stack.files[1].write_bytes(content[: len(content) // 2])
    camera = StackCamera(ManualClock(), stack)
    with pytest.raises(DeviceLost, match=r"focal stack .*: frame frame2.png"):
        camera.open()
    stack.files[1].write_bytes(content)
    assert camera.open().width == 64


def test_a_turned_picture_has_the_size_of_what_is_seen(tmp_path: Path) -> None:
    from PIL import Image

    from dasha_ros.files.pictures import picture_size, read_picture

    picture = Image.fromarray(np.zeros((48, 64), np.uint8))
    exif = picture.getexif()
    for orientation in (1, 3, 6, 8):
        exif[0x0112] = orientation
        path = tmp_path / f"{orientation}.jpg"
        picture.save(path, exif=exif)
        height, width = read_picture(path).rgb.shape[:2]
        assert picture_size(path) == (width, height)


def test_positions_beyond_the_frames_are_refused(tmp_path: Path) -> None:
    lens = StackLens(ManualClock(), load_stack(squares_stack(tmp_path)))
    lens.open()
    with pytest.raises(OutOfRange, match=r"from 0.0 to 2.0 frame"):
        lens.move(2.5)
