"""A YOLO-World network of ultralytics, untrained, told in words what to look for.

Its weights and CLIP, which reads the words, are not on test machines. The network here is the real one, made
of its description; in CLIP's place stands a function that gives each word a vector of its own.
"""

from __future__ import annotations

import importlib
import sys
import threading
import types
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from ros_harness import wait_for

from dasha_ros.config import PerceptionConfig
from dasha_ros.perception.detectors import create_detector
from dasha_ros.perception.errors import ModelError
from dasha_ros.perception.pipeline import Perception

pytestmark = [pytest.mark.torch, pytest.mark.slow]
WORLD = "yolov8s-worldv2.yaml"
IMAGE = np.random.default_rng(0).integers(0, 256, (170, 320), dtype=np.uint8)


class Words:
    """Stands in for CLIP: a unit vector of 512 values for each word, always the same."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def tokenize(self, text: list[str]) -> Any:
        import torch

        self.read += text
        return torch.tensor([zlib.crc32(word.encode()) for word in text])

    def encode_text(self, tokens: Any) -> Any:
        import torch

        rows = [torch.randn(512, generator=torch.Generator().manual_seed(int(n))) for n in tokens]
        return torch.nn.functional.normalize(torch.stack(rows), dim=-1)


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> Words:
    pytest.importorskip("ultralytics")
    monkeypatch.setitem(sys.modules, "clip", types.ModuleType("clip"))
    monkeypatch.delitem(sys.modules, "ultralytics.nn.text_model", raising=False)
    text_model = importlib.import_module("ultralytics.nn.text_model")
    made = Words()
    monkeypatch.setattr(text_model, "build_text_model", lambda *_, **__: made)
    return made


def test_it_looks_for_what_it_is_told(words: Words) -> None:
    classes = ["a red mug", "Motorbike", "fire extinguisher"]
    detector = create_detector("ultralytics", weights=WORLD, input_size=160, classes=classes)
    assert words.read == classes
    assert detector.labels == ("a red mug", "motorcycle", "fire extinguisher")
    found = detector.detect(IMAGE, 0.0)
    assert found
    assert {d.label for d in found} <= set(detector.labels)
    for detection in found:
        x_min, y_min, x_max, y_max = detection.box
        assert 0 <= x_min < x_max <= 320
        assert 0 <= y_min < y_max <= 170
    only = detector.detect(IMAGE, 0.0, {"motorcycle"})
    assert {d.label for d in only} <= {"motorcycle"}


def test_it_can_be_told_again_after_it_looked(words: Words) -> None:
    detector = create_detector("ultralytics", weights=WORLD, input_size=160, classes=["mug"])
    first = {d.label for d in detector.detect(IMAGE, 0.0)}
    assert first == {"mug"}
    detector.look_for(["mug", "Motorbike", "door"])
    assert detector.labels == ("mug", "motorcycle", "door")
    assert {d.label for d in detector.detect(IMAGE, 0.0)} - first, "still the network of before"
    detector.look_for(["door"])
    assert {d.label for d in detector.detect(IMAGE, 0.0)} == {"door"}


def test_words_that_cannot_be_read_change_nothing(words: Words, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = create_detector("ultralytics", weights=WORLD, input_size=160, classes=["mug", "door"])

    def fails(text: list[str]) -> None:
        raise ValueError("too long")

    monkeypatch.setattr(words, "tokenize", fails)
    with pytest.raises(ModelError, match=r"can't read the words cup \(too long\)"):
        detector.look_for(["cup"])
    assert detector.labels == ("mug", "door")
    assert {d.label for d in detector.detect(IMAGE, 0.0)} <= {"mug", "door"}


def test_pictures_are_read_while_it_is_told(words: Words) -> None:
    detector = create_detector("ultralytics", weights=WORLD, input_size=160, classes=["mug"])
    known, over = {"mug", "door", "cup"}, threading.Event()
    found: list[set[str]] = []

    def look() -> None:
        while not over.is_set():
            found.append({d.label for d in detector.detect(IMAGE, 0.0)})

    with ThreadPoolExecutor() as pool:
        looking = pool.submit(look)
        for told in (["door", "cup"], ["mug"], ["cup", "mug", "door"]):
            before = len(found)
            detector.look_for(told)
            wait_for(lambda before=before: len(found) > before + 1, "pictures of the new words")
        over.set()
        looking.result()
    assert all(labels <= known for labels in found)


def test_other_words_give_other_scores(words: Words) -> None:
    def best(classes: list[str]) -> list[float]:
        import torch

        torch.manual_seed(0)
        detector = create_detector("ultralytics", weights=WORLD, input_size=160, classes=classes)
        return [round(d.score, 6) for d in detector.detect(IMAGE, 0.0)][:5]

    assert best(["mug"]) == best(["mug"])
    assert best(["mug"]) != best(["door"])


def test_missing_clip_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ultralytics")
    monkeypatch.setitem(sys.modules, "clip", None)
    monkeypatch.delitem(sys.modules, "ultralytics.nn.text_model", raising=False)
    with pytest.raises(ModelError, match=r"can't read the words mug \(.*clip.*\).*\.save\(FILE\)"):
        create_detector("ultralytics", weights=WORLD, input_size=160, classes=["mug"])


def test_a_model_with_classes_of_its_own_is_refused() -> None:
    pytest.importorskip("ultralytics")
    with pytest.raises(ModelError, match="knows its own classes only"):
        create_detector("ultralytics", weights="random", input_size=160, classes=["mug"])
    assert not create_detector("ultralytics", weights="random", input_size=160).takes_words


def test_another_detector_is_refused_before_it_is_loaded() -> None:
    with pytest.raises(ModelError, match="detector yolov3_tiny knows its own classes only"):
        Perception(detector="yolov3_tiny", detector_classes=["mug"])


def test_the_parameter_reaches_the_network(words: Words) -> None:
    from dasha_ros.ros.driver_nodes.backends import perception_of

    pytest.importorskip("rclpy", reason="ROS is not installed: scripts/setup installs it")
    config = PerceptionConfig(
        detector="ultralytics", detector_weights=WORLD, detector_size_px=160, detector_classes=["mug", "door"]
    )
    assert perception_of(config).detector.labels == ("mug", "door")
