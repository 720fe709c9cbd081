from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from studio import Studio

from dasha_ros.devices.camera import Camera
from dasha_ros.devices.errors import DeviceLost, OutOfRange
from dasha_ros.devices.lens import Lens
from dasha_ros.devices.twin.camera import TwinCamera
from dasha_ros.devices.twin.lens import TwinLens
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.optics.actuator import PowerTrajectory
from dasha_ros.twin.scene import SceneError
from dasha_ros.twin.world import World

MS = 1_000_000
FRAME: dict[str, Any] = {"width": 256, "height": 136, "seed": 1}


class EventfulClock(ManualClock):
    """A clock on which things happen while someone waits."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[tuple[int, Callable[[], object]]] = []

    def wait_until(self, stamp_ns: int, interrupt: threading.Event | None = None) -> bool:
        for at_ns, event in sorted(self.events, key=lambda e: e[0]):
            if at_ns <= stamp_ns:
                super().wait_until(at_ns)
                event()
                self.events = [e for e in self.events if e[1] is not event]
                if interrupt is not None and interrupt.is_set():
                    return False
        return super().wait_until(stamp_ns, interrupt)


@pytest.fixture
def clock() -> EventfulClock:
    return EventfulClock()


@pytest.fixture
def world(tmp_path: Path) -> World:
    studio = Studio(tmp_path)
    path = studio.card_before(studio.texture("card.png", 1, (64, 64)), studio.texture("wall.png", 2))
    return World(str(path), illuminance_lx=100.0)


@pytest.fixture
def camera(clock: EventfulClock, world: World) -> TwinCamera:
    camera = TwinCamera(clock, world=world, **FRAME)
    camera.open()
    return camera


def at_rest(dioptres: float, moved_at_ns: int = 0) -> PowerTrajectory:
    return PowerTrajectory(moved_at_ns, dioptres, dioptres, 0.0)


def contrast(pixels: np.ndarray) -> float:
    """Of the card in the middle."""
    return float(pixels[48:88, 108:148].std())


def test_they_are_a_camera_and_a_lens(clock: EventfulClock, camera: TwinCamera) -> None:
    as_camera: Camera = camera
    as_lens: Lens = TwinLens(clock)
    assert as_camera.describe()["model"] == as_lens.describe()["model"] == "digital twin"


def test_an_exposure_takes_its_time_and_is_stamped_with_its_start(
    clock: EventfulClock, camera: TwinCamera
) -> None:
    camera.set_exposure(30_000.0)
    begin = clock.now_ns()
    frame = camera.capture()
    assert frame is not None
    assert frame.begun_ns == begin
    assert clock.now_ns() == begin + 30 * MS
    assert (frame.exposure_us, frame.gain_db, frame.encoding) == (30_000.0, 0.0, "mono8")


def test_an_exposure_waits_for_its_time(clock: EventfulClock, camera: TwinCamera) -> None:
    camera.set_exposure(10_000.0)
    later = clock.now_ns() + 80 * MS
    frame = camera.capture(later)
    assert frame is not None
    assert frame.begun_ns == later
    past = camera.capture(later - 500 * MS)
    assert past is not None
    assert past.begun_ns == later + 10 * MS


@pytest.mark.parametrize("after_ms", [1, 40, 70, 95])
def test_abort_ends_the_waits_before_in_and_after_an_exposure(
    clock: EventfulClock, world: World, after_ms: int
) -> None:
    camera = TwinCamera(clock, world=world, latency_s=0.03, **FRAME)
    camera.open()
    camera.set_exposure(40_000.0)
    begin = clock.now_ns()
    clock.events = [(begin + after_ms * MS, camera.abort)]
    assert camera.capture(begin + 30 * MS) is None
    assert clock.now_ns() == begin + after_ms * MS
    assert camera.capture() is not None


def test_an_abort_with_nothing_to_end_spoils_nothing(camera: TwinCamera) -> None:
    camera.abort()
    assert camera.capture() is not None


def test_the_frame_shows_the_focus_in_the_middle_of_its_exposure(
    clock: EventfulClock, camera: TwinCamera
) -> None:
    camera.set_exposure(20_000.0)
    begin = clock.now_ns()
    middle = begin + 10 * MS
    # From the wall to the card, at the card exactly in the middle.
    camera.set_trajectory(PowerTrajectory(middle, 2.0, -3.0, 0.001))
    moving = camera.capture()
    camera.set_trajectory(at_rest(2.0, clock.now_ns()))
    sharp = camera.capture()
    assert moving is not None
    assert sharp is not None
    assert contrast(moving.pixels) == pytest.approx(contrast(sharp.pixels), rel=0.02)


def test_news_of_a_move_that_comes_late_still_counts(clock: EventfulClock, camera: TwinCamera) -> None:
    camera.set_trajectory(at_rest(-3.0))
    camera.set_exposure(20_000.0)
    begin = clock.now_ns()
    # The lens came to rest before the exposure; the message arrives near its end.
    clock.events = [(begin + 19 * MS, lambda: camera.set_trajectory(at_rest(2.0, begin - 100 * MS)))]
    late = camera.capture()
    punctual = camera.capture()
    assert late is not None
    assert punctual is not None
    assert contrast(late.pixels) == pytest.approx(contrast(punctual.pixels), rel=0.02)


def test_a_move_after_the_middle_of_an_exposure_belongs_to_the_next(
    clock: EventfulClock, camera: TwinCamera
) -> None:
    camera.set_trajectory(at_rest(2.0))
    camera.set_exposure(20_000.0)
    moved_at = clock.now_ns() + 15 * MS
    clock.events = [(moved_at, lambda: camera.set_trajectory(PowerTrajectory(moved_at, 2.0, -3.0, 0.0)))]
    before, after = camera.capture(), camera.capture()
    assert before is not None
    assert after is not None
    assert contrast(before.pixels) > 2 * contrast(after.pixels)


def test_the_world_is_frozen_when_an_exposure_begins(
    clock: EventfulClock, camera: TwinCamera, world: World
) -> None:
    camera.set_exposure(20_000.0)
    dark = World(world.scene, illuminance_lx=1.0)
    begin = clock.now_ns()
    clock.events = [(begin + 5 * MS, lambda: camera.set_world(dark))]
    bright = camera.capture()
    clock.events = [(clock.now_ns() + 5 * MS, lambda: camera.set_world(world))]
    waited = camera.capture(clock.now_ns() + 10 * MS)
    assert bright is not None
    assert waited is not None
    # The first began in the light; the second waited in the dark and began in the light again.
    assert bright.pixels.mean() == pytest.approx(waited.pixels.mean(), rel=0.02)
    camera.set_world(dark)
    night = camera.capture()
    assert night is not None
    assert night.pixels.mean() < 0.1 * bright.pixels.mean()


def test_distances_of_the_world_are_obeyed(camera: TwinCamera, world: World) -> None:
    camera.set_trajectory(at_rest(2.0))
    camera.set_exposure(20_000.0)
    near = camera.capture()
    camera.set_world(World(world.scene, distances_m=(2.0, 5.0)))
    far = camera.capture()
    assert near is not None
    assert far is not None
    assert contrast(near.pixels) > 1.5 * contrast(far.pixels)


def test_brightness_follows_exposure_and_gain(camera: TwinCamera) -> None:
    def mean(exposure_us: float, gain_db: float) -> float:
        camera.set_exposure(exposure_us)
        camera.set_gain(gain_db)
        frame = camera.capture()
        assert frame is not None
        return float(frame.pixels.mean())

    one = mean(4_000.0, 0.0)
    assert mean(8_000.0, 0.0) / one == pytest.approx(2.0, rel=0.02)
    assert mean(4_000.0, 6.0206) / one == pytest.approx(2.0, rel=0.02)
    assert mean(1_000_000.0, 24.0) > 250


def test_values_are_read_back_as_the_device_has_them(camera: TwinCamera) -> None:
    assert camera.set_exposure(1234.4) == 1234.0
    gain = camera.set_gain(6.1)
    assert 32 * 10 ** (gain / 20) == pytest.approx(65.0)
    frame = camera.capture()
    assert frame is not None
    assert (frame.exposure_us, frame.gain_db) == (1234.0, gain)


@given(st.one_of(st.floats(max_value=23.9), st.floats(min_value=1_000_001.0), st.just(float("nan"))))
def test_exposures_outside_the_limits_are_refused(exposure_us: float) -> None:
    camera = TwinCamera(ManualClock())
    with pytest.raises(OutOfRange, match="refused"):
        camera.set_exposure(exposure_us)


@pytest.mark.parametrize("gain_db", [-1.0, 30.0, float("nan")])
def test_gains_outside_the_limits_are_refused(camera: TwinCamera, gain_db: float) -> None:
    with pytest.raises(OutOfRange, match="refused"):
        camera.set_gain(gain_db)


@pytest.mark.parametrize(
    ("encoding", "shape", "dtype", "white"),
    [
        ("mono8", (136, 256), np.uint8, 255),
        ("mono16", (136, 256), np.uint16, 65520),
        ("rgb8", (136, 256, 3), np.uint8, 255),
    ],
)
def test_encodings(
    clock: EventfulClock, world: World, encoding: str, shape: tuple[int, ...], dtype: type, white: int
) -> None:
    camera = TwinCamera(clock, world=world, encoding=encoding, **FRAME)
    assert camera.open().encoding == encoding
    camera.set_exposure(1e6)
    camera.set_gain(24.0)
    frame = camera.capture()
    assert frame is not None
    assert (frame.pixels.shape, frame.pixels.dtype, frame.encoding) == (shape, dtype, encoding)
    assert frame.pixels.max() == white
    with pytest.raises(ValueError, match="bayer"):
        TwinCamera(clock, encoding="bayer")


def test_the_same_seed_gives_the_same_frames(world: World) -> None:
    frames = []
    for _ in range(2):
        camera = TwinCamera(ManualClock(), world=world, **FRAME)
        camera.open()
        frames.append([camera.capture() for _ in range(2)])
    (a, b), (c, d) = frames
    assert a is not None
    assert b is not None
    assert c is not None
    assert d is not None
    assert np.array_equal(a.pixels, c.pixels)
    assert np.array_equal(b.pixels, d.pixels)
    assert not np.array_equal(a.pixels, b.pixels)


def test_a_world_that_cant_be_seen_is_refused_and_the_old_one_stays(
    camera: TwinCamera, world: World, tmp_path: Path
) -> None:
    with pytest.raises(SceneError):
        camera.set_world(World(str(tmp_path / "none.yaml")))
    with pytest.raises(SceneError, match="2 layers"):
        camera.set_world(World(world.scene, distances_m=(1.0,)))
    assert camera.world == world
    assert camera.capture() is not None


def test_a_camera_that_is_not_open_or_has_no_photographs_is_lost(
    clock: EventfulClock, tmp_path: Path
) -> None:
    with pytest.raises(DeviceLost, match="not open"):
        TwinCamera(clock).capture()
    blind = TwinCamera(clock, world=World(str(tmp_path / "none.yaml")))
    with pytest.raises(DeviceLost, match=r"none\.yaml"):
        blind.open()
    blind.close()
    blind.close()


def test_a_move_says_what_the_board_does_and_when_the_lens_rests(clock: EventfulClock) -> None:
    lens = TwinLens(clock, initial_position=30.0)
    assert lens.open().settle_s == 0.0
    begin = clock.now_ns()
    reading = lens.move(50.0)
    assert reading.position == pytest.approx(50.0, abs=0.0445 / 2)
    assert 0.05 < reading.settle_s < 0.5
    move = lens.trajectory
    assert move.moved_at_ns == begin
    rest = begin + round(reading.settle_s * 1e9)
    assert abs(move.at(rest) - move.target_dioptres) <= 0.0101
    clock.advance(20 * MS)
    assert lens.read().settle_s == pytest.approx(reading.settle_s - 0.02)


def test_a_lens_takes_its_delay(clock: EventfulClock) -> None:
    lens = TwinLens(clock, delay_s=0.002)
    lens.open()
    begin = clock.now_ns()
    lens.move(50.0)
    assert lens.trajectory.moved_at_ns == clock.now_ns() == begin + 2 * MS


@given(st.lists(st.one_of(st.floats(), st.floats(20.0, 75.0)), max_size=30))
def test_no_voltage_outside_the_gate_ever_moves_the_lens(commands: list[float]) -> None:
    lens = TwinLens(ManualClock(), initial_position=40.0)
    lens.open()
    for position in commands:
        before = lens.trajectory
        if 24.0 <= position <= 70.0:
            lens.move(position)
        else:
            with pytest.raises(OutOfRange):
                lens.move(position)
            assert lens.trajectory is before
        assert 24.0 <= lens.read().position <= 70.0


def test_a_closed_lens_is_lost_and_stays_where_it_is(clock: EventfulClock) -> None:
    lens = TwinLens(clock, initial_position=44.0)
    lens.open()
    position = lens.move(52.0).position
    lens.close()
    lens.close()
    with pytest.raises(DeviceLost, match="not open"):
        lens.move(50.0)
    assert lens.open().position == position


def test_heat_moves_the_lens(clock: EventfulClock) -> None:
    lens = TwinLens(clock)
    before = lens.trajectory.target_dioptres
    assert lens.set_temperature(45.0).target_dioptres == pytest.approx(before - 1.0)


def test_an_impossible_start_is_refused(clock: EventfulClock) -> None:
    with pytest.raises(OutOfRange):
        TwinLens(clock, initial_position=80.0)
