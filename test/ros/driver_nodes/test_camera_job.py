"""What the camera's thread does with commands while the camera opens, and what it tells at its end."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scripted_driver import MemoryDriverPort, ScriptedHost

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.devices.camera import CameraLimits, Frame
from dasha_ros.devices.errors import DeviceLost, DeviceTimeout, FrameIncomplete
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.freshness.command import CommandId
from dasha_ros.freshness.state import CaptureInfo, LensState
from dasha_ros.ros.driver.camera import DriverCamera, DriverSettings
from dasha_ros.ros.driver.table import driver_named
from dasha_ros.ros.driver_nodes.camera_job import CameraJob
from dasha_ros.ros.driver_nodes.commands import Order

ORDER = Order(CommandId("/robot", 1), 5_000.0)
MOVED = LensState(CommandId("/robot", 1), 41.0, 41.0, True, 0, driver="lens", sequence=1, move=1)


def job_of(camera: Any, topics: Any = None, exposure_max_us: float = 1e6) -> CameraJob:
    config = SimpleNamespace(initial_exposure_us=8333.3, gain_db=0.0, exposure_max_us=exposure_max_us)
    node: Any = SimpleNamespace(config=config, steady=ManualClock())
    job = CameraJob(node)
    job.set_up(camera)
    commands: Any = SimpleNamespace(gate=SimpleNamespace())
    job.connect(commands, topics or SimpleNamespace(publish_limits=lambda limits: None), None)
    return job


def opening(happens: Callable[[CameraJob], None]) -> CameraJob:
    """A job whose camera, a node of another package, opens while something happens."""
    clock = ManualClock()
    host = ScriptedHost(clock)

    def port() -> MemoryDriverPort:
        made = host.port()
        start = made.start
        made.start = lambda: (start(), happens(job))  # type: ignore[method-assign, assignment]
        return made

    job = job_of(DriverCamera(driver_named("camera_ros"), DriverSettings(), port, clock))
    return job


@pytest.mark.parametrize(
    "happens", [lambda job: job.obey(ORDER), lambda job: job.hear_lens(MOVED)], ids=["command", "move"]
)
def test_what_wants_a_picture_does_not_disturb_a_camera_that_opens(
    happens: Callable[[CameraJob], None],
) -> None:
    job = opening(happens)
    job.open()
    assert job.limits is not None
    assert job._is_awaited(), "it takes the picture afterwards"


def test_the_end_of_the_worker_ends_the_opening() -> None:
    with pytest.raises(DeviceLost):
        opening(CameraJob.wake).open()


class Rounding:
    """A camera that makes whole microseconds, and steps of gain."""

    def open(self) -> CameraLimits:
        return CameraLimits(64, 48, "mono8", 24.0, 20_000.0, 0.0, 24.0)

    def set_exposure(self, exposure_us: float) -> float:
        return float(round(exposure_us))

    def set_gain(self, gain_db: float) -> float:
        return round(gain_db / 0.3) * 0.3


@pytest.mark.parametrize("asked_us", [8333.3, 20_000.0, 45_678.9])
def test_a_driver_that_ends_tells_of_the_exposure_from_before_the_goal_as_its_pictures_did(
    asked_us: float,
) -> None:
    """So a server that ends at the same time knows that the exposure went back."""
    told: list[tuple[float, float]] = []
    topics = SimpleNamespace(
        publish_limits=lambda limits: None,
        publish_setting=lambda command, exposure_us, gain_db, sequence: told.append((exposure_us, gain_db)),
        last=CaptureInfo(0, 100.0, 0.0, CommandId("/agent", 1), 0),
    )
    camera = Rounding()
    job = job_of(camera, topics)
    job.open()
    assert job.limits is not None
    exposure_us, gain_db = job.limits.made_of(asked_us, 0.0)
    job.exposure = (CommandId("/camera", 1), asked_us)
    job.leave()
    assert told == [(camera.set_exposure(exposure_us), camera.set_gain(gain_db))]


@pytest.mark.parametrize(
    ("most_us", "longest_us"), [(1e6, 20_000.0), (20_000.0, 20_000.0), (5_000.0, 5_000.0), (1.0, 24.0)]
)
def test_no_exposure_is_longer_than_the_parameter_and_gain_stands_in(
    most_us: float, longest_us: float
) -> None:
    told: list[CameraLimits] = []
    camera = Rounding()
    job = job_of(camera, SimpleNamespace(publish_limits=told.append), exposure_max_us=most_us)
    job.open()
    assert [limits.exposure_max_us for limits in told] == [longest_us]
    made_us, made_db = job._set(camera, 4.0 * longest_us)  # type: ignore[arg-type]
    assert made_us == longest_us
    assert made_db == pytest.approx(12.04, abs=0.15)
    assert job._set(camera, 24.0) == (24.0, 0.0)  # type: ignore[arg-type]


class Showing(Rounding):
    """A camera that returns what it was given, whatever that is."""

    def __init__(self, shows: Any) -> None:
        self.shows = shows

    def capture(self, not_before_ns: int, overtaken: Callable[[], bool]) -> Any:
        return self.shows


def looking(shows: Any) -> tuple[CameraJob, list[Frame]]:
    """A job whose camera shows this, and what it published."""
    published: list[Frame] = []
    topics = SimpleNamespace(
        publish_limits=lambda limits: None,
        publish=lambda frame, capture, awaited: published.append(frame),
        state=SimpleNamespace(publish_if_due=lambda: None, longest_wait_s=None),
    )
    job = job_of(Showing(shows), topics)
    job._commands = SimpleNamespace(  # type: ignore[assignment]
        gate=SimpleNamespace(), restore_if_abandoned=lambda: None, instance="camera"
    )
    job._node.health = SimpleNamespace(count=lambda name: None, update=lambda: None)  # type: ignore[assignment]
    job._node.clock = SimpleNamespace(stamp_of=lambda steady_ns: steady_ns, is_simulated=False)  # type: ignore[misc, assignment]
    job.open()
    return job, published


GREY = Frame(np.zeros((48, 64), np.uint8), "mono8", 2_000_000_000, 100.0, 0.0)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"pixels": GREY.pixels.astype(np.float64)}, r"pixels of float64 .* mono8 means uint8 with 1 chan"),
        ({"pixels": np.zeros((48, 64, 3), np.uint8)}, r"shape \(48, 64, 3\).* mono8 means uint8 with 1"),
        ({"encoding": "rgb8"}, r"shape \(48, 64\).* rgb8 means uint8 with 3 channels"),
        ({"encoding": "mono16"}, "mono16 means uint16"),
        ({"pixels": np.zeros(64, np.uint8)}, r"shape \(64,\)"),
        ({"pixels": np.zeros((0, 64), np.uint8)}, r"no pixels, but the shape \(0, 64\)"),
        ({"pixels": None}, "pixels of the type NoneType"),
        ({"pixels": [[0, 1]]}, "pixels of the type list"),
        ({"exposure_us": math.nan}, "exposure_us is nan; it must be a number"),
        ({"exposure_us": None}, "exposure_us is None; it must be a number"),
        ({"gain_db": math.inf}, "gain_db is inf; it must be a number"),
        ({"gain_db": "6"}, "gain_db is '6'; it must be a number"),
        ({"begun_ns": None}, "begun_ns is None; it must be a number"),
    ],
)
def test_a_picture_that_is_not_what_it_says_is_damaged(changes: dict[str, Any], says: str) -> None:
    job, published = looking(replace(GREY, **changes))
    with pytest.raises(FrameIncomplete, match=says):
        job.work()
    assert published == []
    assert job._is_awaited(), "the next picture may be whole"


@pytest.mark.parametrize("encoding", ["mono8", "a kind of its own"])
def test_a_picture_that_is_what_it_says_is_published(encoding: str) -> None:
    frame = replace(GREY, encoding=encoding)
    job, published = looking(frame)
    assert job.work()
    assert (published[0].pixels is frame.pixels, published[0].encoding) == (True, encoding)


def test_numbers_of_other_libraries_become_pythons() -> None:
    begun_ns = 2**53 + 1  # A float would round it.
    given: Any = {"begun_ns": np.int64(begun_ns), "exposure_us": np.float32(100.5), "gain_db": np.array(6)}
    job, published = looking(replace(GREY, **given))
    assert job.work()
    told = published[0].begun_ns, published[0].exposure_us, published[0].gain_db
    assert told == (begun_ns, 100.5, 6.0)
    assert [type(number) for number in told] == [int, float, float]


def test_what_is_no_picture_is_an_error_of_the_device() -> None:
    with pytest.raises(FrameIncomplete, match="returned 7, not a Frame"):
        looking(7)[0].work()
    with pytest.raises(DeviceTimeout, match="returned no picture, and nobody ended the exposure"):
        looking(None)[0].work()
