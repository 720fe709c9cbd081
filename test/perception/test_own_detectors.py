"""Detectors of somebody's own: what is wrong with what they return is said, and ends nothing."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dasha_ros.freshness.command import NO_COMMAND
from dasha_ros.freshness.state import CaptureInfo, LensState
from dasha_ros.perception.detectors import checked_detections, create_detector
from dasha_ros.perception.errors import ModelError, UnknownModelError
from dasha_ros.perception.percept import Detection, Percept
from dasha_ros.perception.pipeline import Perception
from dasha_ros.perception.quality.brisque import BrisqueModel

BOX = (4.0, 4.0, 30.0, 30.0)


class Own:
    """Does what it is told."""

    id, labels = "own", ("cup",)

    def __init__(self, find: Callable[[Any], Any]) -> None:
        self._find = find

    def detect(self, grey: Any, min_score: float = 0.1, labels: object = ()) -> Any:
        """See `Detector`."""
        return self._find(grey)


class Mean:
    """An encoder that draws in its image when it is done."""

    id, size = "mean", 1

    def encode(self, grey: Any) -> Any:
        """See `Encoder`."""
        latent = np.array([grey.mean()], np.float32)
        grey[:] = 255
        return latent


@pytest.fixture(scope="module")
def brisque(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "brisque.npz"
    vectors, coefficients = np.zeros((2, 36)), np.ones(2)
    with path.open("wb") as file:
        BrisqueModel(vectors, coefficients, 0.05, 0.0, np.full(36, -1.0), np.full(36, 3.0)).save(file)
    return path


def seen(brisque: Path, find: Callable[[Any], Any], elsewhere: list[Detection] | None = None) -> Percept:
    picture = np.random.default_rng(1).integers(0, 200, (64, 64)).astype(np.uint8)
    return Perception(Mean(), Own(find), brisque_model=brisque).perceive(
        picture,
        "mono8",
        CaptureInfo(0, 0.0, 0.0, NO_COMMAND, 0),
        LensState(NO_COMMAND, 0.0, 0.0, True, 0),
        elsewhere,
    )


def exits(_: Any) -> Any:
    sys.exit(3)


def late(_: Any) -> Iterator[Detection]:
    yield Detection("cup", 0.5, BOX)
    raise ValueError("cut off")


@pytest.mark.parametrize(
    ("find", "says"),
    [
        (lambda _: [Detection("cup", math.nan, BOX)], "'cup' with the score nan: a score is .* from 0 to 1"),
        (lambda _: [Detection("cup", 87, BOX)], "'cup' with the score 87: a score is .* from 0 to 1"),
        (lambda _: [Detection("cup", -0.5, BOX)], r"'cup' with the score -0\.5"),
        (lambda _: [Detection("cup", 0.5, (math.nan, 0, 9, 9))], "the box nan, 0, 9, 9: a box is x_min"),
        (lambda _: [Detection("cup", 0.5, (0, 0, math.inf, 9))], "the box 0, 0, inf, 9: a box is x_min"),
        (lambda _: [Detection("cup", 0.5, (30, 20, 8, 9))], "the box 30, 20, 8, 9: a box is x_min"),
        (lambda _: [Detection("cup", 0.5, None)], "the box None: one number and four are needed"),  # type: ignore[arg-type]
        (late, "failed with ValueError: cut off"),
        (exits, "failed with SystemExit: 3"),
    ],
)
def test_what_is_no_detection_is_said_with_the_detectors_name(
    brisque: Path, find: Callable[[Any], Any], says: str
) -> None:
    with pytest.raises(ModelError, match=f"^The detector own .*{says}"):
        seen(brisque, find)


@pytest.mark.parametrize("box", [(math.nan, 0, 9, 9), (0, 0, math.inf, 9)])
def test_a_box_from_elsewhere_that_is_none_is_said_with_the_detectors_name(brisque: Path, box: Any) -> None:
    with pytest.raises(ModelError, match=r"^The detector own found 'cup' with the box .*: a box is x_min"):
        seen(brisque, lambda _: [], [Detection("cup", 0.5, box)])


def test_the_best_comes_first_whatever_the_order() -> None:
    found = [Detection("cup", score, BOX) for score in (0.2, 1.0 + 1e-4, 0.9, -1e-4)]
    assert [each.score for each in checked_detections(Own(list), found)] == [1.0, 0.9, 0.2, 0.0]


def test_a_box_cut_at_the_edge_of_the_picture_may_have_no_area() -> None:
    (found,) = checked_detections(Own(list), [Detection("cup", 0.5, (64, 0, 64, 9))])
    assert found.box == (64.0, 0.0, 64.0, 9.0)


def test_a_model_that_draws_in_its_image_changes_nothing_that_others_see(brisque: Path) -> None:
    def draws(grey: Any) -> list[Detection]:
        grey[:] = 0
        return [Detection("cup", 0.5, BOX)]

    drawn, plain = seen(brisque, draws), seen(brisque, lambda _: [Detection("cup", 0.5, BOX)])
    assert drawn.detections == plain.detections
    assert (drawn.mean_grey, drawn.sharpness) == (plain.mean_grey, plain.sharpness)
    assert 90.0 < plain.mean_grey < 110.0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "import sys\nsys.exit('usage: mine')\n",
            "the import of own_exit ended with SystemExit: usage: mine",
        ),
        (
            "class Own:\n    def __init__(self, **options):\n        raise SystemExit(2)\n",
            "Own of own_exit.*SystemExit: 2",
        ),
    ],
)
def test_a_module_that_ends_like_a_script_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, why: str
) -> None:
    (tmp_path / "own_exit.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_exit", raising=False)
    with pytest.raises(UnknownModelError, match=why):
        create_detector("own_exit:Own")
