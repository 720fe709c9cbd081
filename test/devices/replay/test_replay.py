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


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"exposure_us": math.inf}, "their settings are no numbers"),
        ({"exposure_us": math.nan}, "their settings are no numbers"),
        ({"gain_db": math.nan}, "their settings are no numbers"),
        ({"gain_db": -math.inf}, "their settings are no numbers"),
        ({"position": math.nan}, "their settings are no numbers"),
        ({"exposure_us": 0.0}, "no camera exposes beyond"),
        ({"exposure_us": -5.0}, "no camera exposes beyond"),
        ({"exposure_us": 1e12}, "no camera exposes beyond 1 µs to 10 s"),
        ({"gain_db": 1e9}, "or has a gain beyond 100 dB"),
        ({"position": 100.0}, "the lens was outside of its own limits, 24 to 70 V"),
        ({"position": 1.0}, "the lens was outside of its own limits, 24 to 70 V"),
    ],
)
def test_impossible_settings_are_left_out_and_counted(
    tmp_path: Path, odd: dict[str, float], reason: str
) -> None:
    bad = replace(SHOTS[0], **odd)
    path = write_recording(tmp_path / "r.mcap", [bad, *SHOTS, bad])
    rig = Rig(path)
    assert len(rig.replay.frames) == len(SHOTS)
    left_out = next(note for note in rig.replay.notes if reason in note)
    assert left_out.startswith(f"{path}: 2 of 7 pictures are not shown: ")
    assert "inf" not in "".join(rig.replay.notes)
    assert "nan" not in "".join(rig.replay.notes)
    assert (rig.limits.gain_min_db, rig.limits.gain_max_db) == (6.0, 6.0)
    assert rig.shoot(30.0, 10_000.0) == (pytest.approx(30.0), 10_000.0, 10)
    alone = write_recording(tmp_path / "alone.mcap", [bad, bad])
    with pytest.raises(ReplayError, match=r"alone\.mcap: none of its 2 pictures can be used: 2 because"):
        Replay(alone)


def test_a_lens_that_measured_itself_hardly_beyond_its_limit_was_at_it(tmp_path: Path) -> None:
    rig = Rig(write_recording(tmp_path / "r.mcap", [replace(SHOTS[0], position=23.99), *SHOTS]))
    assert rig.replay.positions[0] == 24.0
    assert rig.lens.read().position == pytest.approx(24.0)


@pytest.mark.parametrize(("low", "high"), [(-1e308, 1e308), (0.0, 1e-300), (-1e12, 1e12)])
def test_a_lens_that_no_lens_can_be_is_refused(tmp_path: Path, low: float, high: float) -> None:
    unmapped = {**INFO, "map_positions": [], "map_dioptres": []}
    info = {**unmapped, "position_min": low, "position_max": high, "resolution": 0.0, "play": 0.0}
    path = write_recording(tmp_path / "r.mcap", SHOTS, info=info)
    with pytest.raises(ReplayError, match=r"r\.mcap: its lens/info can't be used: no lens moves from"):
        Replay(path)


def test_messages_of_others_under_our_names_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = "dasha_ros/msg/CaptureInfo"
    other = DEFINITIONS[kind].replace("float64 exposure_us", "string exposure_us")
    monkeypatch.setitem(DEFINITIONS, kind, other)
    path = write_recording(tmp_path / "r.mcap", [replace(SHOTS[0], exposure_us="long")])  # type: ignore[arg-type]
    with pytest.raises(ReplayError, match="camera/capture is a dasha_ros/msg/CaptureInfo, not what this"):
        Replay(path)


def test_damage_that_leaves_too_little_is_told_with_the_refusal(tmp_path: Path, path: Path) -> None:
    bad = tmp_path / "bad.mcap"
    content = bytearray(path.read_bytes())
    chunk_at = 8
    while content[chunk_at] != 6:
        chunk_at += 9 + int.from_bytes(content[chunk_at + 1 : chunk_at + 9], "little")
    content[chunk_at] = 0x46
    bad.write_bytes(content)
    with pytest.raises(ReplayError, match=r"bad\.mcap has 1 damaged record .* lost \d+ of its \d+ messages"):
        Replay(bad)


def test_one_unreadable_part_is_named_and_the_others_are_played(tmp_path: Path, path: Path) -> None:
    folder = tmp_path / "kit"
    folder.mkdir()
    (folder / "kit_0.mcap").write_bytes(path.read_bytes())
    (folder / "kit_1.mcap").write_bytes(b"")
    (folder / "kit_3.mcap").write_bytes(path.read_bytes())
    missing, empty, *_ = Replay(folder).notes
    assert f"1 of the 4 files of {folder} is missing (kit_2.mcap)" in missing
    assert "kit_1.mcap is empty" in empty
    assert f"`dasha record --recover {folder}`" in empty


def test_a_file_cut_meanwhile_is_one_loss_in_plain_words(tmp_path: Path) -> None:
    """Opened again, the camera would work until the next such picture, and be lost again."""
    path = write_recording(tmp_path / "r.mcap", SHOTS)
    rig, whole = Rig(path), path.read_bytes()
    path.write_bytes(whole[:40])
    told = set()
    with pytest.raises(DeviceLost) as lost:
        rig.shoot(40.0, 10_000.0)
    told.add(str(lost.value))
    for _ in range(3):
        rig.camera.close()
        with pytest.raises(DeviceLost) as lost:
            rig.camera.open()
        told.add(str(lost.value))
    (sentence,) = told
    assert f"{path} changed since it was opened: only 40 of its {len(whole)} bytes are left" in sentence
    path.write_bytes(whole)
    rig.camera.open()
    assert rig.shoot(40.0, 10_000.0)[2] == 20


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
