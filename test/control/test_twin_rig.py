"""The rig over the twin, on a clock that jumps."""

from __future__ import annotations

import pytest
from cards import CardPerception
from hypothesis import given, settings
from hypothesis import strategies as st
from studio import Studio

from dasha_ros.control.loop import run_exposure, run_focus
from dasha_ros.control.rig import RigError
from dasha_ros.control.twin_rig import TwinRig
from dasha_ros.freshness.command import NO_COMMAND
from dasha_ros.freshness.rule import answers
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.policies.classical.exposure import HistogramExposure
from dasha_ros.policies.classical.focus import CoarseToFineFocus
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import ExposureTask, FocusTask
from dasha_ros.policies.reached import exposure_side
from dasha_ros.policies.rivals.contrast import ContrastFocus
from dasha_ros.twin.world import World

SIZE = {"width": 320, "height": 170}


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    studio = Studio(tmp_path_factory.mktemp("scene"))
    return str(studio.card_before(studio.texture("card.png", 1), studio.texture("wall.png", 2)))


def rig_before(scene, **changes):
    return TwinRig(CardPerception(), **({"world": World(scene)} | SIZE | changes))


@settings(max_examples=40)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("move"), st.floats(24.0, 70.0)),
            st.tuples(st.just("expose"), st.floats(24.0, 200_000.0)),
            st.tuples(st.just("observe"), st.none()),
        ),
        max_size=12,
    )
)
def test_every_percept_answers_the_newest_commands(scene, commands):
    rig = rig_before(scene)
    exposure = lens = NO_COMMAND
    for name, value in commands:
        before_ns = rig.clock.now_ns()
        percept = getattr(rig, name)(*(() if value is None else (value,)))
        if name == "move":
            assert percept.lens.command.sequence > max(lens.sequence, exposure.sequence)
            assert percept.lens.commanded_position == value
            lens = percept.lens.command
        elif name == "expose":
            assert percept.capture.exposure_command.sequence > max(lens.sequence, exposure.sequence)
            assert percept.capture.exposure_us == round(value)
            exposure = percept.capture.exposure_command
        assert answers(percept.capture, percept.lens, exposure, lens)
        assert percept.capture.stamp_ns >= before_ns


def test_usage_counts_what_an_episode_costs(scene):
    rig = rig_before(scene, exposure_us=50_000.0, position=30.0)
    rig.observe()
    assert (rig.usage.frames, rig.usage.moves, rig.usage.exposures) == (1, 0, 0)
    assert rig.usage.seconds == pytest.approx(0.05)
    rig.expose(20_000.0)
    assert rig.usage.seconds == pytest.approx(0.07)
    begun_ns = rig.clock.now_ns()
    settling_s = (rig.move(50.0).lens.settled_at_ns - begun_ns) / 1e9
    assert settling_s > 0.01
    assert rig.usage.seconds == pytest.approx(0.09 + settling_s)
    rig.move(50.001)
    assert (rig.usage.frames, rig.usage.moves, rig.usage.exposures) == (4, 2, 1)
    assert rig.usage.actuations == 1


def test_a_new_place_begins_anew(scene):
    rig = rig_before(scene)
    rig.move(50.0)
    rig.expose(5_000.0)
    rig.place(World(scene, 20.0), 42.0, 30_000.0)
    assert rig.usage.frames == 0
    percept = rig.observe()
    assert percept.lens.command == percept.capture.exposure_command == NO_COMMAND
    assert percept.capture.exposure_us == 30_000.0
    assert abs(rig.focus_dioptres - rig.lens.dioptres(42.0)) < 0.04


def test_positions_are_in_the_unit_of_the_lens(scene):
    rig = rig_before(scene)
    assert [rig.observe().lens.unit, rig.move(40.0).lens.unit] == ["V", "V"]
    rig.place(World(scene), 30.0, 20_000.0)
    assert rig.observe().lens.unit == "V"


def test_the_frame_shows_the_focus_at_rest(scene):
    rig = rig_before(scene, exposure_us=20_000.0)
    rig.expose(40_000.0)
    near, far = rig.move(rig.lens.position(2.0)), rig.move(rig.lens.position(0.2))
    sharpness = {d.label: d.sharpness for d in near.detections}
    assert sharpness["card"] > 2.0 * next((d.sharpness for d in far.detections if d.label == "card"), 0.0)


@pytest.mark.parametrize("position", [23.9, 70.1, float("nan")])
def test_positions_out_of_range_are_lost_not_sent(scene, position):
    rig = rig_before(scene, position=45.0)
    with pytest.raises(RigError, match=r"24\.0 to 70\.0") as lost:
        rig.move(position)
    assert lost.value.code is ErrorCode.LENS_LOST
    assert rig.usage.moves == 0
    assert abs(rig.focus_dioptres - rig.lens.dioptres(45.0)) < 0.02


def test_exposures_out_of_range_are_lost_not_sent(scene):
    rig = rig_before(scene)
    with pytest.raises(RigError) as lost:
        rig.expose(2e6)
    assert lost.value.code is ErrorCode.CAMERA_LOST
    assert rig.usage.exposures == 0


def test_the_same_seed_gives_the_same_frames(scene):
    first, second = (rig_before(scene, seed=3).move(45.0) for _ in range(2))
    assert first.sharpness == second.sharpness
    assert first.sharpness != rig_before(scene, seed=4).move(45.0).sharpness


@pytest.mark.parametrize(("label", "dioptres"), [("card", 2.0), ("wall", 0.2)])
@pytest.mark.parametrize(("position", "exposure_us"), [(24.0, 24.0), (68.0, 900_000.0)])
def test_dark_or_overexposed_and_defocused_the_object_is_found(scene, label, dioptres, position, exposure_us):
    rig = rig_before(scene, position=position, exposure_us=exposure_us)
    exposed = run_exposure(rig, HistogramExposure(), ExposureTask(rig.table))
    assert exposed.code is ErrorCode.NONE
    assert exposure_side("well_exposed", exposed.percept) == 0
    focused = run_focus(rig, CoarseToFineFocus(), FocusTask(rig.lens, frozenset({label})))
    assert focused.code is ErrorCode.NONE
    assert abs(rig.lens.blur_px(rig.focus_dioptres, dioptres)) <= 1.0


def test_whole_frame_contrast_focuses_on_the_wall(scene):
    rig = rig_before(scene, exposure_us=40_000.0)
    run_focus(rig, ContrastFocus(), FocusTask(rig.lens, frozenset({"card"})))
    assert abs(rig.lens.blur_px(rig.focus_dioptres, 0.2)) <= 1.0


def test_gain_stands_in_where_exposure_ends(scene):
    dark = World(scene, illuminance_lx=1.0)
    without = run_exposure(rig_before(scene, world=dark), HistogramExposure(), ExposureTask(exposure_table()))
    assert without.code is ErrorCode.EXPOSURE_NOT_REACHED
    table = exposure_table().with_gain(20.0)
    rig = rig_before(scene, world=dark, table=table)
    outcome = run_exposure(rig, HistogramExposure(), ExposureTask(table))
    assert outcome.code is ErrorCode.NONE
    assert outcome.percept is not None
    assert outcome.percept.capture.exposure_us == 1e6
    assert 0.0 < outcome.percept.capture.gain_db <= 20.0
    # A shorter exposure needs no gain, and the next episode begins without any.
    assert rig.expose(10_000.0).capture.gain_db == 0.0
    rig.expose(4e6)
    rig.place(dark, 40.0, 10_000.0)
    assert rig.observe().capture.gain_db == 0.0
