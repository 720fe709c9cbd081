"""A recording as camera and lens: the nearest picture, the truth about it, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recording_maker import DEFINITIONS, INFO, Shot, write_recording

from dasha_ros.devices.errors import DeviceLost, OutOfRange
from dasha_ros.devices.replay.camera import ReplayCamera
from dasha_ros.devices.replay.lens import ReplayLens
from dasha_ros.devices.replay.recorded import Replay, ReplayError
from dasha_ros.freshness.clock import ManualClock

SHOTS = (
    Shot(30.0, 10_000.0, 10),
    Shot(40.0, 10_000.0, 20),
    Shot(40.0, 40_000.0, 80),
    Shot(50.0, 40_000.0, 90),
    Shot(50.0, 40_000.0, 91),
)


class Rig:
    """Camera and lens of a recording, as the two driver nodes join them."""

    def __init__(self, path: Path) -> None:
        self.clock = ManualClock()
        self.replay = Replay(path)
        self.camera, self.lens = ReplayCamera(self.clock, self.replay), ReplayLens(self.clock, Replay(path))
        self.limits = self.camera.open()
        self.lens.open()

    def shoot(self, position: float, exposure_us: float) -> tuple[float, float, int]:
        """Where the lens says it is; exposure and grey level of the picture taken there."""
        reading = self.lens.move(position)
        self.camera.set_trajectory(self.lens.trajectory)
        self.clock.wait_until(self.clock.now_ns() + round(1e9 * (reading.settle_s + 0.01)))
        self.camera.set_exposure(exposure_us)
        frame = self.camera.capture()
        assert frame is not None
        assert frame.pixels.min() == frame.pixels.max()
        return reading.position, frame.exposure_us, int(frame.pixels.flat[0])


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_recording(tmp_path_factory.mktemp("replay") / "goal.mcap", SHOTS)


def test_recorded_settings_give_the_recorded_pictures(path: Path) -> None:
    rig = Rig(path)
    assert (rig.limits.width, rig.limits.height, rig.limits.encoding) == (40, 32, "mono8")
    for shot in SHOTS[:4]:
        place, exposure, level = rig.shoot(shot.position, shot.exposure_us)
        assert (place, exposure, level) == (pytest.approx(shot.position), shot.exposure_us, shot.level)


def test_pictures_of_the_same_settings_come_in_their_order(path: Path) -> None:
    rig = Rig(path)
    assert [rig.shoot(50.0, 40_000.0)[2] for _ in range(4)] == [90, 91, 90, 91]


def test_a_command_begins_the_next_visit_and_previews_do_not(tmp_path: Path) -> None:
    """The recorded agent judged the first picture after each command; previews followed."""
    visits = [
        Shot(40.0, 1e4, level, command, move=7)
        for command in (1, 2)
        for level in (10 * command, 10 * command + 1)
    ]
    rig = Rig(write_recording(tmp_path / "r.mcap", visits))

    def level() -> int:
        frame = rig.camera.capture()
        assert frame is not None
        return int(frame.pixels.flat[0])

    assert [level() for _ in range(3)] == [10, 11, 10]
    rig.camera.set_trajectory(rig.lens.trajectory)
    rig.camera.set_exposure(1e4)
    assert [level() for _ in range(2)] == [20, 21]
    rig.camera.set_trajectory(rig.lens.trajectory)
    assert level() == 20, "the lens driver repeated itself"


def test_previews_before_a_goal_are_not_shown_in_place_of_what_the_agent_judged(tmp_path: Path) -> None:
    shots = [Shot(40.0, 1e4, level, move=7, judged=level in (12, 13)) for level in (10, 11, 12, 13)]
    rig = Rig(write_recording(tmp_path / "r.mcap", shots))
    frames = [rig.camera.capture() for _ in range(4)]
    assert [int(frame.pixels.flat[0]) for frame in frames if frame is not None] == [12, 13, 10, 11]


@settings(max_examples=30, deadline=None)
@given(position=st.floats(24.0, 70.0), exposure=st.floats(50.0, 900_000.0))
def test_everything_else_gives_the_nearest_picture_and_says_which(
    path: Path, position: float, exposure: float
) -> None:
    place, told, level = Rig(path).shoot(position, exposure)
    nearest = min(abs(shot.position - position) for shot in SHOTS)
    assert abs(place - position) == pytest.approx(nearest)
    here = [shot for shot in SHOTS if shot.position == pytest.approx(place)]
    assert told in {shot.exposure_us for shot in here}
    # The camera has only the recorded exposures, so it first goes to the nearest of all.
    active = min({s.exposure_us for s in SHOTS}, key=lambda known: abs(math.log(known / exposure)))
    assert abs(math.log(told / active)) == min(abs(math.log(s.exposure_us / active)) for s in here)
    assert level in {shot.level for shot in here if shot.exposure_us == told}


def test_lens_is_the_recorded_one(path: Path) -> None:
    lens = Rig(path).lens
    assert (lens.info.unit, lens.info.position_min, lens.info.position_max) == ("V", 24.0, 70.0)
    assert (lens.info.play, lens.info.approach, lens.info.profile) == (0.3, 1, "mine")
    assert lens.info.focus_distance_m(47.0) == pytest.approx(0.2)
    assert lens.read().position == pytest.approx(30.0), "where the first picture was taken"
    with pytest.raises(OutOfRange):
        lens.move(70.1)


def test_what_a_recording_cannot_tell_is_told(tmp_path: Path) -> None:
    extra = [
        Shot(31.0, 9e3, 1, moving=True),
        Shot(32.0, 9e3, 1, captured=False),
        Shot(33.0, 9e3, 1, state=False),
    ]
    replay = Replay(write_recording(tmp_path / "r.mcap", [*SHOTS, *extra]))
    notes = "\n".join(replay.notes)
    assert "1 of 6 pictures are not shown: the lens moved" in notes
    assert "camera/capture does not tell their exposure" in notes
    assert "lens/state does not tell where the lens was" in notes
    assert (
        "5 pictures at 3 position(s) from 30.00 to 50.00 V, of a lens that moves from 24.00 to 70.00 V"
        in notes
    )
    assert "2 exposure(s) from 10,000 to 40,000" in notes


@pytest.mark.parametrize("encoding", ["mono8", "rgb8"])
def test_jpeg_recordings_show_what_raw_ones_show(tmp_path: Path, encoding: str) -> None:
    raw = Replay(write_recording(tmp_path / "raw.mcap", SHOTS, encoding=encoding))
    jpeg = Replay(write_recording(tmp_path / "jpeg.mcap", SHOTS, encoding=encoding, jpeg=True))
    assert (jpeg.encoding, jpeg.size) == (raw.encoding, raw.size) == (encoding, (40, 32))
    for one, other in zip(raw.frames, jpeg.frames, strict=True):
        assert np.abs(raw.pixels(one).astype(int) - jpeg.pixels(other)).max() <= 4


def test_truncated_recording_plays_what_is_whole(tmp_path: Path, path: Path) -> None:
    content = path.read_bytes()
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(content[: content.index(b"\x0f\x04\0\0\0\0\0\0\0")])
    replay = Replay(cut)
    assert [frame.position for frame in replay.frames] == [shot.position for shot in SHOTS]
    assert "cut.mcap ends unclosed" in replay.notes[0]


def test_what_damage_took_away_is_not_blamed_on_what_was_recorded(tmp_path: Path, path: Path) -> None:
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(path.read_bytes()[:40])
    with pytest.raises(
        ReplayError, match=r"cut\.mcap ends unclosed .* That is not enough: .*cut\.mcap does not"
    ):
        Replay(cut)


def test_file_that_vanishes_is_a_lost_device(tmp_path: Path) -> None:
    rig = Rig(write_recording(tmp_path / "r.mcap", SHOTS))
    (tmp_path / "r.mcap").unlink()
    with pytest.raises(DeviceLost, match="changed since it was opened"):
        rig.shoot(40.0, 10_000.0)


@pytest.mark.parametrize(
    ("shots", "options", "reason"),
    [
        ((), {}, "holds no pictures"),
        (
            SHOTS,
            {"spaces": ("/left", "/right")},
            "holds the pictures of /left and /right: record each graph alone",
        ),
        (SHOTS, {"info": {**INFO, "position_max": 20.0}}, r"its lens/info can't be used: positions from"),
        (SHOTS, {"encoding": "nv21"}, "image encoding 'nv21' is not one of"),
        (
            [replace(shot, moving=True) for shot in SHOTS],
            {},
            "none of its 5 pictures can be used: 5 because the lens",
        ),
        ([replace(SHOTS[0], exposure_us=math.nan)], {}, "their settings are no numbers"),
    ],
)
def test_unusable_recordings_are_refused(
    tmp_path: Path, shots: tuple[Shot, ...], options: dict[str, object], reason: str
) -> None:
    path = write_recording(tmp_path / "r.mcap", shots, **options)
    with pytest.raises(ReplayError, match=reason):
        Replay(path)


def test_a_recording_of_0_1_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = "dasha_ros/msg/LensState"
    in_volts = DEFINITIONS[kind].replace("float64 position", "float64 commanded_volts\nfloat64 volts")
    monkeypatch.setitem(DEFINITIONS, kind, in_volts)
    path = write_recording(tmp_path / "r.mcap", SHOTS, info={})
    with pytest.raises(ReplayError, match=r"/dasha/lens/state was written by dasha_ros 0\.1"):
        Replay(path)


def test_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match="there is no such file"):
        Replay(tmp_path / "none")
