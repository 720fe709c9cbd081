"""The arena of stresses: what it shows, what it tells policies, and what it takes for the truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from cards import CardPerception
from hypothesis import given
from hypothesis import strategies as st
from studio import Studio

from dasha_ros.benchmark.methods import MethodError
from dasha_ros.benchmark.study import Part
from dasha_ros.benchmark.trials.journal import Journal
from dasha_ros.benchmark.trials.stress import chosen_stresses, play_stresses, stress_rows, stress_table
from dasha_ros.learning.dataset.scenes.views import View, ViewInfo
from dasha_ros.learning.evaluation.arenas import TwinArena
from dasha_ros.learning.evaluation.settings import Start
from dasha_ros.learning.evaluation.stressed import StressArena
from dasha_ros.optics.lens import ASSUMED, MEASURED
from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.learned.policy_file import PolicyFile, shipped_policy
from dasha_ros.twin.scene import load_scene
from dasha_ros.twin.stress.stress import BASE, STRESSES, Stress

LENS, SIZE = lens_model(), (320, 170)
START = Start(
    view=0, position=LENS.position(2.0), object_dioptres=2.0, drift_dioptres=0.0, illuminance_lx=100.0,
    exposure_us=20_000.0, seed=1,
)  # fmt: skip


class Watched(CardPerception):
    """Keeps the frames that it reads."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[np.ndarray] = []

    def perceive(self, pixels, *others, **options):
        self.frames.append(np.array(pixels))
        return super().perceive(pixels, *others, **options)


@pytest.fixture(scope="module")
def views(tmp_path_factory) -> list[View]:
    studio = Studio(tmp_path_factory.mktemp("scene"))
    layers = [{"kind": "photograph", "photo": studio.texture("wall.png", 2), "distance_m": 0.5}]
    scene = load_scene(studio.scene(layers=layers, objects=[{"label": "card", "layer": 0}]))
    info = ViewInfo("plane/card", "plane", "card", ("wall.png",), 0.0, (0.5,), 0, mid_grey_lux_seconds=2.0)
    return [View(info, scene)]


def shown(views: list[View], stress: Stress, start: Start = START, frames: int = 1) -> list[np.ndarray]:
    perception = Watched()
    arena = StressArena(views, perception, stress, SIZE)
    arena.place(start)
    perception.frames.clear()
    for _ in range(frames):
        arena.rig.observe()
        arena.rig.expose(arena.rig.observe().capture.exposure_us)
    return perception.frames


def detail(frame: np.ndarray) -> float:
    return float(cv2.Laplacian(frame, cv2.CV_64F).var() / frame.mean() ** 2)


def test_without_stress_the_pictures_are_the_twins(views) -> None:
    perception = Watched()
    plain = TwinArena(views, perception, SIZE)
    plain.place(START)
    perception.frames.clear()
    plain.rig.observe()
    np.testing.assert_array_equal(shown(views, STRESSES[BASE])[0], perception.frames[0])


@pytest.mark.parametrize("name", [n for n, s in STRESSES.items() if n != BASE and not s.speed_m_s])
def test_every_stress_changes_what_is_seen_or_known(views, name: str) -> None:
    stress = STRESSES[name]
    start = replace(START, position=LENS.position(2.6))
    base, stressed = (shown(views, each, start)[0] for each in (STRESSES[BASE], stress))
    assert not np.array_equal(base, stressed)


def test_a_tilted_plane_is_sharp_at_one_side_only(views) -> None:
    focused_right = replace(START, position=LENS.position(2.0 + 0.5))
    frame = shown(views, Stress("", tilt_dioptres=1.0), focused_right)[0]
    width = frame.shape[1]
    assert detail(frame[:, -width // 5 :]) > 3.0 * detail(frame[:, : width // 5])


def test_blur_is_scaled_and_only_a_known_scale_is_told(views) -> None:
    start = replace(START, position=LENS.position(2.5))
    for scale in (0.25, 4.0):
        for is_known in (True, False):
            arena = StressArena(
                views, CardPerception(), Stress("", blur_scale=scale, is_known=is_known), SIZE
            )
            arena.place(start)
            assert arena.defocus_px() == pytest.approx(scale * LENS.blur_px(0.5, 0.0), abs=0.3 * scale)
            told = arena.lens.blur_px(1.0, 0.0) / LENS.blur_px(1.0, 0.0)
            assert told == pytest.approx(scale if is_known else 1.0)
            assert arena.lens.blur_doubt == (MEASURED if is_known else ASSUMED)


def test_a_moving_object_leaves_its_focus(views) -> None:
    arena = StressArena(views, CardPerception(), STRESSES["moving_20"], SIZE)
    arena.place(START)
    first = arena.defocus_px()
    seconds = 0.0
    while seconds < 1.0:
        before = arena.rig.clock.now_ns()
        arena.rig.expose(arena.rig.observe().capture.exposure_us)
        seconds += (arena.rig.clock.now_ns() - before) / 1e9
    away = LENS.blur_px(2.0, 1.0 / (0.5 + 0.2 * seconds))
    assert arena.defocus_px() - first == pytest.approx(away, rel=0.2)
    arena.place(START)
    assert arena.defocus_px() == pytest.approx(first, abs=0.05), "each episode begins anew"


def test_a_coming_object_stops_before_the_camera(views) -> None:
    arena = StressArena(views, CardPerception(), STRESSES["coming_20"], SIZE)
    arena.place(START)
    for _ in range(40):
        arena.rig.expose(arena.rig.observe().capture.exposure_us)
    assert arena.defocus_px() == pytest.approx(LENS.blur_px(2.0, 1.0 / 0.3), rel=0.02)


def test_flicker_changes_the_brightness_from_frame_to_frame(views) -> None:
    means = [float(frame.mean()) for frame in shown(views, STRESSES["flicker"], frames=8)]
    assert 0.02 < np.std(means) / np.mean(means) < 0.11


def test_two_stops_are_two_stops(views) -> None:
    arena = StressArena(views, CardPerception(), STRESSES["under_2"], SIZE)
    arena.place(START)
    assert arena.rig.observe().capture.exposure_us == pytest.approx(START.exposure_us / 4, rel=0.1)


def test_policies_play_from_the_same_starts_and_what_was_played_is_kept(views, tmp_path: Path) -> None:
    chosen = {name: STRESSES[name] for name in (BASE, "scale_4_known")}
    part = Part([0])
    for resumed in (0, 4):
        with Journal(tmp_path / "rows") as journal:
            rows = play_stresses(
                views, CardPerception(), ["constant:24"], chosen, part, journal=journal, per_view=1
            )
            assert journal.resumed == resumed
    starts = {(row["start"], row["object_dioptres"], row["seed"]) for row in journal.played}
    assert len(starts) == 1
    assert [(row["stress"], row["policy"].partition(":")[0]) for row in rows] == [
        (name, policy) for name in chosen for policy in ("constant", "oracle")
    ], "who knows the focus always plays"
    assert {row["findable"] for row in rows} == {1.0}
    reached = {(row["stress"], row["policy"].partition(":")[0]): row["within_2px"] for row in rows}
    assert reached[BASE, "oracle"] == 1.0
    assert reached["scale_4_known", "constant"] == 0.0
    table = stress_table(rows)
    assert "oracle\\*" in table
    assert "`scale_4_known`: 4 times the blur" in table


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 12)), min_size=1, max_size=8))
def test_who_could_not_be_found_is_left_out_of_what_is_said_of_the_findable(episodes) -> None:
    """Each start: whether it can be found, and whether ``plus`` ends in focus, and after how many moves."""
    rows = []
    for number, (findable, focused, moves) in enumerate(episodes):
        for policy in ("plus", "oracle"):
            knows = policy == "oracle"
            rows.append(
                {
                    "setting": "stress_base", "policy": policy, "reference_based": knows, "policy_seed": None,
                    "sampled": False, "arena": "stress", "view": f"view {number}", "start": 30.0,
                    "object_dioptres": 1.0, "seed": number, "photographs": [f"photo {number}"],
                    "detected": findable if knows else focused, "within_2px": knows or focused,
                    "within_1px": knows or focused, "false_found": False, "hunting": moves > 5,
                    "moves_first": 1, "moves_settled": moves, "frames": moves + 1,
                }
            )  # fmt: skip
    plus = next(row for row in stress_rows(rows) if row["policy"] == "plus")
    can = [findable or focused for findable, focused, _ in episodes]
    count = sum(can)
    assert plus["findable"] == pytest.approx(count / len(episodes), abs=1e-4)
    assert plus["episodes"] == len(episodes)
    assert plus["within_2px"] == pytest.approx(np.mean([f for _, f, _ in episodes]), abs=1e-4)
    if not count:
        assert plus["within_2px_findable"] is None
        cells = stress_table([plus]).splitlines()[2].split("|")
        assert [cell.strip() for cell in cells[-3:-1]] == ["-", "-"]
        return
    of = [(focused, moves) for found, (_, focused, moves) in zip(can, episodes, strict=True) if found]
    assert plus["within_2px_findable"] == pytest.approx(np.mean([f for f, _ in of]), abs=1e-4)
    assert plus["moves_settled_findable"] == pytest.approx(np.mean([m for _, m in of]), abs=1e-3)
    assert plus["hunting_findable"] == pytest.approx(np.mean([m > 5 for _, m in of]), abs=1e-4)


def test_who_learned_on_another_split_does_not_play(views, tmp_path: Path) -> None:
    """`oracle` alone is nobody to look at."""
    file = PolicyFile.load(shipped_policy("plus", "focus"), "focus")
    other = tmp_path / "other.npz"
    replace(file, info=replace(file.info, made={**file.info.made, "split": 7})).save(other)
    with pytest.raises(MethodError, match="every policy was learned on another split"):
        play_stresses(
            views, CardPerception(), [str(other)], chosen_stresses([BASE]), Part([0], 0), journal=Journal(),
            per_view=1,
        )  # fmt: skip


def test_what_can_not_be_played_is_refused(views, tmp_path: Path) -> None:
    with pytest.raises(MethodError, match="no stress 'rain'; there are: base, gaussian"):
        chosen_stresses(["rain"])
    composite = [View(replace(views[0].info, kind="composite"), views[0].scene)]
    with pytest.raises(MethodError, match="there is no plane"):
        play_stresses(
            composite, CardPerception(), ["oracle"], chosen_stresses([]), Part([0]), journal=Journal(),
            per_view=1,
        )  # fmt: skip
