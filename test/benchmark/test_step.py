"""The one-process step."""

from __future__ import annotations

import json

import numpy as np
import pytest
from studio import Studio

from dasha_ros.benchmark.step import benchmark_step
from dasha_ros.perception.percept import Detection
from dasha_ros.perception.pipeline import Perception
from dasha_ros.perception.quality.brisque import BrisqueModel


class Encoder:
    id = "none"
    size = 1

    def encode(self, grey):
        return np.zeros(1, np.float32)


class Detector:
    id = "corner"
    labels = ("motorcycle",)

    def detect(self, grey, min_score=0.1, labels=()):
        return [Detection("motorcycle", 0.9, (0.0, 0.0, 50.0, 50.0))]


@pytest.fixture(scope="module")
def perception(tmp_path_factory):
    vectors, bounds = np.zeros((3, 36)), np.ones(36)
    path = tmp_path_factory.mktemp("models") / "brisque.npz"
    with path.open("wb") as file:
        BrisqueModel(vectors, np.ones(3), 0.05, -40.0, -bounds, bounds).save(file)
    return Perception(Encoder(), Detector(), brisque_model=path)


def test_numbers_of_a_step(tmp_path, perception):
    studio = Studio(tmp_path)
    scene = str(studio.card_before(studio.texture("card.png", 1), studio.texture("wall.png", 2)))
    numbers = benchmark_step(8, scene=scene, width=320, height=170, perception=perception)
    assert json.loads(json.dumps(numbers)) == numbers
    assert (numbers["steps"], numbers["width"], numbers["height"]) == (8, 320, 170)
    assert 0.0 < numbers["step_ms_p50"] <= numbers["step_ms_p95"]
    stages = numbers["stages_ms"]
    perception_stages = {
        "resize",
        "encoder",
        "detector",
        "brisque",
        "histogram",
        "detail",
        "sharpness",
        "total",
    }
    assert set(stages) == perception_stages | {"command", "decide"}
    assert stages["total"] <= numbers["step_ms_p95"]


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match="at least one"):
        benchmark_step(0)
