"""Waiting for a percept: as long as physics and the budget allow, and never forever."""

from __future__ import annotations

import math
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ros_harness import Probe

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

pytestmark = pytest.mark.graph

BUDGET_S = 0.05


@pytest.fixture
def rig(probe: Probe) -> Iterator[Any]:
    """A rig in a silent graph, with a manual clock."""
    from dasha_ros.freshness.clock import ManualClock
    from dasha_ros.optics.exposure_table import exposure_table
    from dasha_ros.ros.actuation.ros_rig import RosRig

    rig = RosRig(probe.node, exposure_table(), "lens")
    rig.steady = rig.lens_rest._clock = ManualClock(1_000_000_000)
    rig.inference_budget_s, rig.retries = BUDGET_S, 0
    yield rig
    rig.close()


def _hear_lens(rig: Any, **fields: Any) -> None:
    from dasha_ros import msg

    said = {"driver": "lens", "sequence": 1, "move": 1, "settled": True, **fields}
    rig._on_lens(msg.LensState(commanded_position=40.0, **said))


def _hear_exposure(rig: Any, exposure_us: float, driver: str = "camera") -> None:
    from dasha_ros import msg

    rig._on_capture(msg.CaptureInfo(exposure_us=exposure_us, driver=driver))


numbers = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(exposure_us=numbers, settle_s=numbers)
def test_a_graph_whose_clock_stands_still_or_lies_is_not_awaited_forever(
    rig: Any, exposure_us: float, settle_s: float
) -> None:
    from dasha_ros.control.rig import RigError

    _hear_lens(rig, settled=False, settle_s=settle_s)
    _hear_exposure(rig, exposure_us)
    with pytest.raises(RigError):
        rig.move(41.0)


def test_a_long_exposure_is_awaited_on_the_clock_of_the_graph(rig: Any) -> None:
    """Twenty times the budget, while the clock goes on."""
    asked, begin_ns = 0, rig.steady.now_ns()
    keep_waiting = rig._patience(1e6)
    while rig.steady.now_ns() < begin_ns + 1_000_000_000:
        assert keep_waiting(), f"gave up after {asked} looks"
        asked += 1
        rig.steady.advance(50_000_000)
    rig.waiter.wait_for(lambda: None, keep_waiting)
    assert not keep_waiting()


@pytest.mark.parametrize("settle_s", [1e9, math.inf, math.nan])
def test_a_lens_that_claims_to_settle_in_decades_is_awaited_for_ten_seconds(
    rig: Any, settle_s: float
) -> None:
    begin_ns = rig.steady.now_ns()
    _hear_lens(rig, settled=False, settle_s=settle_s)
    keep_waiting = rig._patience(0.0)
    while keep_waiting():
        rig.steady.advance(200_000_000)
        if rig.steady.now_ns() > begin_ns + 10_000_000_000:
            break
    rig.waiter.wait_for(lambda: None, keep_waiting)
    assert not keep_waiting()


@pytest.mark.parametrize("ask", ["expose", "move", "observe"])
def test_a_lens_with_a_fault_ends_the_wait_with_its_name(rig: Any, ask: str) -> None:
    from dasha_ros.control.rig import RigError
    from dasha_ros.policies.outcome import ErrorCode

    _hear_lens(rig, faults=["the lens board is gone"])
    _hear_exposure(rig, 1000.0)
    values = {"expose": (500.0,), "move": (41.0,), "observe": ()}[ask]
    with pytest.raises(RigError, match="the lens board is gone") as raised:
        getattr(rig, ask)(*values)
    assert raised.value.code == ErrorCode.LENS_LOST


def test_unknown_settings_are_an_error(rig: Any) -> None:
    from dasha_ros.control.rig import RigError
    from dasha_ros.policies.outcome import ErrorCode

    with pytest.raises(RigError, match="no lens state was ever received") as raised:
        rig.current_setting()
    assert raised.value.code == ErrorCode.LENS_LOST
    _hear_lens(rig)
    assert rig.current_setting() == 40.0


@pytest.mark.parametrize("most_gain_db", [math.inf, 0.0])
@pytest.mark.parametrize("ask", ["observe", "watch", "settle"])
def test_whoever_only_looks_keeps_the_gain_that_an_exposure_has(
    rig: Any, ask: str, most_gain_db: float
) -> None:
    """A policy may use less gain, or none; that is no reason to take away what somebody else asked for."""
    from dasha_ros import msg
    from dasha_ros.control.rig import RigError
    from dasha_ros.freshness.state import CaptureInfo

    rig._actuator, rig.most_gain_db = "exposure", most_gain_db
    rig._on_limits(
        msg.CameraLimits(
            width=64, height=64, encoding="mono8",
            exposure_min_us=100.0, exposure_max_us=33_000.0, gain_min_db=0.0, gain_max_db=24.0,
        )
    )  # fmt: skip
    exposure_us, gain_db = rig.limits.made_of(100_000.0, 0.0)
    rig._on_capture(msg.CaptureInfo(exposure_us=exposure_us, gain_db=gain_db, driver="camera"))
    _hear_lens(rig)
    sent: list[float] = []
    rig._exposure_publisher = SimpleNamespace(publish=lambda command: sent.append(command.exposure_us))
    seen: Any = SimpleNamespace(capture=CaptureInfo(0, exposure_us, gain_db, rig.commanded, 0))
    looks = {"observe": rig.observe, "watch": lambda: rig.watch(seen)}
    if ask == "settle":
        rig.settle(rig.current_setting())
    else:
        with pytest.raises(RigError, match="no frame came"):
            looks[ask]()
    assert sent == [pytest.approx(100_000.0)]
    with pytest.raises(RigError, match="no frame came"):
        rig.expose(100_000.0)
    assert sent[1:] == [pytest.approx(min(100_000.0, 33_000.0 * 10.0 ** (most_gain_db / 20.0)))]


def test_an_exposure_is_active_whatever_whole_lines_the_sensor_makes_of_it(rig: Any) -> None:
    from dasha_ros import msg

    rig._actuator = "exposure"
    _hear_exposure(rig, 10_000.0)
    back = rig.settle(20_000.0)
    assert not back.is_active
    rig._on_capture(msg.CaptureInfo(exposure_us=19_971.0, driver="camera", sequence=1))
    assert back.is_active
    short = rig.settle(24.0)
    rig._on_capture(msg.CaptureInfo(exposure_us=60.0, driver="camera", sequence=2))
    assert not short.is_active, "60 us are more than twice as bright"


def test_a_restarted_camera_driver_ends_the_episode(rig: Any) -> None:
    from dasha_ros.control.rig import RigError
    from dasha_ros.policies.outcome import ErrorCode

    _hear_lens(rig)
    _hear_exposure(rig, 27_000.0)
    with pytest.raises(RigError, match="did not confirm"):
        rig.observe()
    _hear_exposure(rig, 10_000.0, driver="the camera, started anew")
    with pytest.raises(RigError, match="restarted and now exposes for 10000 us") as raised:
        rig.move(41.0)
    assert raised.value.code == ErrorCode.CAMERA_LOST
    # The next episode starts with the camera as it is.
    with pytest.raises(RigError, match="did not confirm"):
        rig.observe()


@pytest.mark.parametrize(
    ("came", "taken_up_later", "code"),
    [(True, True, "COMMAND_OVERRIDDEN"), (False, True, "CAMERA_LOST"), (False, False, "COMMAND_OVERRIDDEN")],
    ids=["heard from its sender", "older and only told of", "only told of and in force to the end"],
)
def test_an_active_command_of_another_node_may_be_older_than_the_own_command(
    rig: Any, came: bool, taken_up_later: bool, code: str
) -> None:
    from dasha_ros import msg
    from dasha_ros.control.rig import RigError

    _hear_lens(rig)
    _hear_exposure(rig, 1000.0)
    other = msg.CommandId(sender="/dasha/stranger#1", sequence=7)
    looks, rig.retries = 0, 1

    def meanwhile() -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            if came:
                rig._on_lens_command(msg.LensCommand(id=other, position=50.0))
            _hear_lens(rig, sequence=2, move=2, command=other)
        elif taken_up_later:
            assert not came, "it ends at once"
            own = msg.CommandId(sender=rig.sender, sequence=rig.sent)
            _hear_lens(rig, sequence=looks + 1, move=looks + 1, command=own)

    rig.interrupted = meanwhile
    with pytest.raises(RigError) as raised:
        rig.move(41.0)
    assert raised.value.code.name == code
    if code == "COMMAND_OVERRIDDEN":
        assert rig.sent == 1, "whoever commands gets no command against its own"


def _hear_restored(rig: Any, sequence: int = 1) -> None:
    from dasha_ros import msg

    own = msg.CommandId(sender="lens", sequence=sequence)
    _hear_lens(rig, command=own, sequence=100 + sequence, move=100 + sequence)


def test_a_driver_that_restored_what_a_goal_before_left_is_commanded_again(rig: Any) -> None:
    """Its own command may have passed the rig's on the way: that is no loss, unless it stays in force."""
    from dasha_ros.control.rig import RigError
    from dasha_ros.policies.outcome import ErrorCode

    rig.retries, rig.inference_budget_s = 1, 0.5
    sent: list[float] = []
    send = rig.send_position

    def send_position(position: float) -> Any:
        sent.append(position)
        told = send(position)
        if len(sent) == 1:
            _hear_restored(rig)
        return told

    rig.send_position = send_position
    _hear_lens(rig)
    _hear_exposure(rig, 1000.0)
    with pytest.raises(RigError) as error:
        rig.move(41.0)
    assert sent == [41.0, 41.0]
    # The second command was never obeyed, and the driver's own is older than it.
    assert error.value.code == ErrorCode.LENS_LOST
    assert "did not confirm" in str(error.value)


def test_a_driver_that_restores_again_has_left_the_goal(rig: Any) -> None:
    from dasha_ros.control.rig import RigError

    rig.retries, rig.inference_budget_s = 1, 0.2
    restored = iter((1, 2))
    send = rig.send_position

    def send_position(position: float) -> Any:
        told = send(position)
        _hear_restored(rig, next(restored))
        return told

    rig.send_position = send_position
    _hear_lens(rig)
    _hear_exposure(rig, 1000.0)
    with pytest.raises(RigError, match="restored the lens"):
        rig.move(41.0)
