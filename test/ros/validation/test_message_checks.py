"""What a message must be to be heard."""

from __future__ import annotations

import math
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.action import AdjustExposure, AdjustFocus, FocusOnObject
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image

from dasha_ros import msg
from dasha_ros.devices.camera import CameraLimits
from dasha_ros.perception.quality.detail import SHAPE
from dasha_ros.ros.transport.cdr import reader
from dasha_ros.ros.transport.conversions import limits_to_msg
from dasha_ros.ros.validation.message_checks import checks_of
from dasha_ros.ros.validation.message_shape import InvalidMessage


def stamped(seconds: int, nanoseconds: int) -> Any:
    from builtin_interfaces.msg import Time

    return Time(sec=seconds, nanosec=nanoseconds)


LIMITS = {
    "width": 640,
    "height": 480,
    "encoding": "mono8",
    "exposure_min_us": 24.0,
    "exposure_max_us": 1e6,
    "gain_min_db": 0.0,
    "gain_max_db": 24.0,
}
PERCEPT = msg.Percept(capture=msg.CaptureInfo(exposure_us=1000.0), width=640, height=480, brisque=math.nan)
GOOD: dict[type, dict[str, Any]] = {
    msg.CameraLimits: LIMITS,
    msg.CaptureInfo: {"exposure_us": 1000.0},
    msg.LensState: {
        "position": 40.0,
        "commanded_position": 40.0,
        "faults": ["thermal shutdown"],
        "focus_distance_m": math.nan,
    },
    msg.LensInfo: {
        "unit": "steps",
        "position_max": 1023.0,
        "map_positions": [0.0, 500.0, 1023.0],
        "map_dioptres": [5.0, 2.0, -0.5],
        "blur_px_per_dioptre": 8.9,
    },
    msg.PerceptionInfo: {"encoder": "e", "detector": "d", "labels": ["cat", "dog"]},
    msg.FocusState: {
        "state": 5,
        "labels": ["cat"],
        "message": "a\nb",
        "lens_position": math.nan,
        "focus_distance_m": math.inf,
    },
    msg.TwinLens: {"target_dioptres": 3.0, "time_constant_s": 0.02},
    msg.TwinWorld: {"scene": "cat", "illuminance_lx": 100.0, "distances_m": [1.0], "temperature_c": 25.0},
    msg.Percept: {
        "capture": msg.CaptureInfo(exposure_us=1000.0),
        "width": 640,
        "height": 480,
        # Measured values may be NaN: the agents then end the goal with PERCEPT_INVALID.
        "brisque": math.nan,
        "latent": [math.nan],
        "detail": b"\0" * math.prod(SHAPE),
        "colour_detail": b"\0" * (2 * math.prod(SHAPE)),
    },
    msg.Reward: {"term_names": ["a"], "term_values": [1.0]},
    AdjustFocus.Feedback: {"percept": PERCEPT, "reward": msg.Reward(value=math.nan)},
    AdjustExposure.Feedback: {"percept": PERCEPT},
    FocusOnObject.Feedback: {"phase": 2, "brisque": math.nan},
    Image: {"width": 2, "height": 1, "encoding": "mono8", "step": 2, "data": b"ab"},
    # The drivers' gates judge commands and answer the sender.
    msg.LensCommand: {"position": math.nan},
    msg.ExposureCommand: {"exposure_us": math.inf},
}
BAD: list[tuple[type, dict[str, Any]]] = [
    *((msg.CameraLimits, {name: 0}) for name in ("width", "height")),
    *((msg.CameraLimits, {name: 0.0}) for name in ("exposure_min_us", "exposure_max_us")),
    *((msg.CameraLimits, {name: math.nan}) for name in ("exposure_min_us", "exposure_max_us", "gain_max_db")),
    (msg.CameraLimits, {"exposure_max_us": math.inf}),
    (msg.CameraLimits, {"exposure_min_us": 2e6}),
    (msg.CameraLimits, {"gain_min_db": 30.0}),
    (msg.CameraLimits, {"encoding": "x" * 400}),
    *((msg.CaptureInfo, {"exposure_us": value}) for value in (math.inf, math.nan, 0.0, -1.0, 1e30)),
    (msg.CaptureInfo, {"gain_db": math.inf}),
    *((msg.LensState, {"position": value}) for value in (math.nan, math.inf, -2e9, 2e9)),
    (msg.LensState, {"focus_distance_m": -1.0}),
    (msg.LensState, {"unit": "x" * 40}),
    *(
        (msg.LensInfo, {name: math.nan})
        for name in ("position_min", "resolution", "blur_px_per_dioptre", "blur_doubt")
    ),
    (msg.LensInfo, {"unit": ""}),
    (msg.LensInfo, {"position_max": -5.0}),
    (msg.LensInfo, {"approach": 7}),
    (msg.LensInfo, {"map_positions": [1.0]}),
    (msg.LensInfo, {"map_positions": [3.0, 2.0, 1.0]}),
    (msg.LensInfo, {"map_dioptres": [0.0, 0.0]}),
    (msg.LensInfo, {"map_dioptres": [0.0, math.inf]}),
    (msg.LensState, {"commanded_position": math.nan}),
    (msg.LensState, {"settled_at": stamped(-5, 0)}),
    (msg.LensState, {"settled_at": stamped(5, 4_000_000_000)}),
    (msg.LensState, {"last_refusal": "x" * 20_000}),
    (msg.LensState, {"faults": ["x"] * 200_000}),
    (msg.PerceptionInfo, {"labels": ["cat", "\x07"]}),
    (msg.PerceptionInfo, {"labels": ["x" * 1000]}),
    (msg.PerceptionInfo, {"encoder": ""}),
    (msg.FocusState, {"state": 77}),
    *((step.Feedback, {"percept": msg.Percept()}) for step in (AdjustExposure, AdjustFocus)),
    (AdjustFocus.Feedback, {"percept": PERCEPT, "reward": msg.Reward(term_names=["a"])}),
    (FocusOnObject.Feedback, {"phase": 77}),
    (FocusOnObject.Feedback, {"lens_position": math.inf}),
    (msg.FocusState, {"lens_position": math.inf}),
    (msg.FocusState, {"focus_distance_m": -1.0}),
    (msg.TwinLens, {"target_dioptres": math.nan}),
    (msg.TwinLens, {"start_dioptres": 1e9}),
    (msg.TwinLens, {"time_constant_s": -1.0}),
    (msg.TwinLens, {"state": msg.LensState(position=math.nan)}),
    (msg.TwinWorld, {"illuminance_lx": math.nan}),
    (msg.TwinWorld, {"temperature_c": -300.0}),
    (msg.TwinWorld, {"distances_m": [1.0, math.inf]}),
    (msg.TwinWorld, {"scene": ""}),
    (msg.TwinWorld, {"lamp_hz": math.inf}),
    (msg.TwinWorld, {"lamp_depth": -0.1}),
    (msg.Percept, {"width": 0}),
    (msg.Percept, {"detail": b"\0" * 7}),
    (msg.Percept, {"colour_detail": b"\0" * math.prod(SHAPE)}),
    (msg.Percept, {"capture": msg.CaptureInfo(exposure_us=math.inf)}),
    (msg.Percept, {"lens": msg.LensState(position=math.nan)}),
    (msg.Percept, {"stage_names": ["a"], "stage_ms": [1.0, 2.0]}),
    (msg.Reward, {"action_names": ["lens_position"]}),
    (msg.Reward, {"term_values": [math.nan], "term_names": ["a"]}),
    (Image, {"width": 4_000_000_000}),
    (Image, {"encoding": "x" * 400}),
    (msg.LensCommand, {"position": 40.0, "header": None}),
]


def as_heard(kind: type, fields: dict[str, Any]) -> Any:
    """A message as received."""
    message = kind(**{k: v for k, v in fields.items() if v is not None})
    if "header" in fields:
        message.header.frame_id = "x" * 20_000
    return reader(kind)(serialize_message(message))


@pytest.mark.parametrize("kind", GOOD)
def test_what_can_be_is_heard(kind: type) -> None:
    checks_of(kind)(as_heard(kind, GOOD[kind]))


@pytest.mark.parametrize(("kind", "changes"), BAD)
def test_what_can_not_be_is_named(kind: type, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidMessage) as told:
        checks_of(kind)(as_heard(kind, {**GOOD[kind], **changes}))
    assert len(str(told.value)) < 200
    assert str(told.value).isprintable()


def test_the_limits_of_every_back_end_can_be() -> None:
    from dasha_ros.devices.fake.fake import FakeCamera
    from dasha_ros.devices.twin.camera import TwinCamera
    from dasha_ros.freshness.clock import ManualClock

    for camera in (FakeCamera(ManualClock()), TwinCamera(ManualClock())):
        limits = camera.open()
        assert isinstance(limits, CameraLimits)
        checks_of(msg.CameraLimits)(limits_to_msg(limits))
