"""The sign of defocus in colour, on stacks whose channels were blurred by known amounts."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from stack_maker import squares_stack, write_description, write_frames

from dasha_ros.benchmark.trials.colour_sign import __main__ as command
from dasha_ros.benchmark.trials.colour_sign.logistic import fitted
from dasha_ros.benchmark.trials.colour_sign.patches import Patches, read_patches
from dasha_ros.benchmark.trials.colour_sign.study import JUDGED, study, tables
from dasha_ros.devices.stack.description import StackError, load_stack
from dasha_ros.optics.tone import srgb_of_levels
from dasha_ros.twin.disc_blur import disc_kernel

FRAMES, STEP_PX = 13, 0.5


def stack(folder: Path, seed: int, blue_nearer_px: float) -> Path:
    """A wall of random blocks, sharpest in the middle; blue focuses so much nearer than red [px of blur]."""
    random = np.random.default_rng(seed)
    blocks = random.uniform(0.02, 1.0, (40, 160, 3)).astype(np.float32)
    wall = np.kron(blocks, np.ones((4, 4, 1), np.float32))
    levels, pictures = srgb_of_levels(4096), []
    for frame in range(FRAMES):
        too_near = (FRAMES // 2 - frame) * STEP_PX
        # Red focuses farther than green: its focus is nearer to the wall while green's is too near.
        defocus = (too_near + share * blue_nearer_px for share in (-0.5, 0.0, 0.5))
        channels = [
            cv2.filter2D(wall[..., channel], -1, disc_kernel(abs(radius)))
            for channel, radius in enumerate(defocus)
        ]
        noisy = np.stack(channels, axis=-1) + random.normal(0.0, 0.004, wall.shape)
        pictures.append(levels[np.rint(np.clip(noisy, 0.0, 1.0) * 4095).astype(int)][..., ::-1])
    return write_description(write_frames(folder, pictures), blur_px_per_frame=STEP_PX)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[float, list[Patches]]:
    folder = tmp_path_factory.mktemp("stacks")
    return {
        shift: [read_patches(load_stack(stack(folder / f"{shift}_{n}", n, shift))) for n in range(4)]
        for shift in (0.0, 0.6, -0.6)
    }


def over_stacks(found: list[Patches]) -> dict[str, object]:
    (row,) = (row for row in study(found, (2.0,)) if row["stack"] is None)
    return row


@pytest.mark.parametrize("shift", [0.6, -0.6])
def test_a_lens_with_colour_shows_the_sign(made: dict[float, list[Patches]], shift: float) -> None:
    rows = study(made[shift], (2.0,))
    for row in rows[:-1]:
        assert row["ratio_change"] * shift > 0.0
        assert (row["redder_near"] > 0.9) == (shift > 0.0)
        assert row["chroma"] == "png"
    pooled = rows[-1]
    assert (pooled["stacks"], pooled["stacks_redder_near"]) == (4, 4 if shift > 0.0 else 0)
    assert pooled["two_pictures"] > 0.95
    assert pooled["one_picture"] > 0.85
    assert pooled["all_patches"] == 1.0
    assert pooled["grey_alone"] == pytest.approx(0.5, abs=0.06), (
        "green alone is equally blurred on both sides"
    )


def test_a_lens_without_colour_shows_none(made: dict[float, list[Patches]]) -> None:
    row = over_stacks(made[0.0])
    for key in ("two_pictures", "one_picture", "grey_alone"):
        assert row[key] == pytest.approx(0.5, abs=0.06)


def test_a_stack_of_another_lens_is_judged_wrong_by_what_others_teach(
    made: dict[float, list[Patches]],
) -> None:
    other = made[-0.6][3]
    rows = study(
        [*made[0.6][:3], Patches("other", other.chroma, STEP_PX, other.details, other.sharpest)], (2.0,)
    )
    assert [row["two_pictures"] > 0.9 for row in rows[:-1]] == [True, True, True, False]
    assert rows[3]["one_picture"] < 0.2
    assert rows[-1]["stacks_redder_near"] == 3


def test_nothing_is_learned_from_the_stack_that_is_judged(made: dict[float, list[Patches]]) -> None:
    rows = study(made[0.6][:1], (2.0,))
    assert all(row[key] is None for row in rows for key in JUDGED)
    assert rows[0]["redder_near"] > 0.9
    assert "| " in tables(rows)


def test_pairs_are_as_many_frames_before_and_behind_the_sharpest() -> None:
    details = np.zeros((7, 3, 3, 4), np.float32) + np.arange(7, dtype=np.float32)[:, None, None, None]
    patches = Patches("s", "png", 0.5, details, np.array([1, 3, 5]))
    near, far = patches.pair(1.0)
    assert (near[:, 0, 0].tolist(), far[:, 0, 0].tolist()) == ([1.0], [5.0])
    near, far = patches.pair(0.1)
    assert (near[:, 0, 0].tolist(), far[:, 0, 0].tolist()) == ([0.0, 2.0, 4.0], [2.0, 4.0, 6.0])


def test_the_regression_finds_known_odds() -> None:
    random = np.random.default_rng(0)
    features = random.normal(0.0, (1.0, 20.0), (20_000, 2))
    true = 0.5 + 1.5 * features[:, 0] - 0.05 * features[:, 1]
    is_true = random.uniform(size=len(true)) < 1.0 / (1.0 + np.exp(-true))
    odds = fitted(features, is_true, np.ones(len(true)))
    assert np.corrcoef(odds(features), true)[0, 1] > 0.999
    assert 0.85 < np.polyfit(true, odds(features), 1)[0] < 1.0, "the ridge makes it a little modest"
    apart = fitted(features[:2], np.array([True, False]), np.ones(2))
    assert np.isfinite(apart(features)).all(), "what can be told apart for certain has no infinite odds"


def test_rows_and_tables_are_written_and_say_what_was_not_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):
        stack(tmp_path / "stacks" / f"wall{number}", number, 0.6)
    squares_stack(tmp_path / "stacks" / "grey")
    write_description(stack(tmp_path / "stacks" / "unmeasured", 3, 0.6), frames=FRAMES)
    rows_file, page = tmp_path / "rows.json", tmp_path / "page.md"
    command.main(["--stacks", str(tmp_path / "stacks"), "--json", str(rows_file), "--markdown", str(page)])
    rows = json.loads(rows_file.read_text())
    assert {row["stack"] for row in rows} == {"wall0", "wall1", None}
    text = page.read_text()
    assert "- grey: its pictures are grey" in text
    assert "- unmeasured: its stack.yaml has no blur_px_per_frame" in text
    said = capsys.readouterr()
    assert said.out.strip() == text.strip()
    assert "wall1 (4 of 4)" in said.err


def test_what_can_not_be_used_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="holds no focal stack"):
        command.main(["--stacks", str(tmp_path)])
    grey = squares_stack(tmp_path / "grey")
    with pytest.raises(SystemExit, match=r"no stack in .* can be used; grey: its pictures are grey"):
        command.main(["--stacks", str(grey)])
    with pytest.raises(StackError, match="grey"):
        read_patches(load_stack(grey))
    flat = [np.full((48, 64, 3), (10, 90, level), np.uint8) for level in (90, 91, 92)]
    plain = write_description(write_frames(tmp_path / "plain", flat), blur_px_per_frame=0.5)
    with pytest.raises(SystemExit, match="plain: fewer than 20 patches have texture"):
        command.main(["--stacks", str(plain)])
    walls = stack(tmp_path / "wall", 0, 0.6)
    with pytest.raises(SystemExit, match="can't be written"):
        command.main(["--stacks", str(walls), "--json", str(plain / "stack.yaml" / "rows.json")])
