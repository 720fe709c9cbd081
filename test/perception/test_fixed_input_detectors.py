"""NanoDet and CenterNet: their boxes by the definition, and what they find in photographs."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from dasha_ros.assets import models
from dasha_ros.perception.detectors import create_detector
from dasha_ros.perception.errors import ModelError

FILES = {"nanodet": models.NANODET, "centernet": models.CENTERNET}
LABELS = ("cat", "dog", "tv")


class FakeSession:
    """Replaces a network by fixed outputs."""

    path = "fake.onnx"

    def __init__(self, outputs, detector, size) -> None:
        self.metadata, self.labels = {"detector": detector, "size": str(size)}, LABELS
        self.outputs = outputs

    def check_output(self, name, axis):
        """Its outputs are what a test says."""

    def run(self, image):
        self.image = image
        return self.outputs


@pytest.fixture
def fake(monkeypatch):
    def make(name, outputs, size, says=None):
        session = FakeSession(outputs, says or name, size)
        monkeypatch.setattr("dasha_ros.perception.detectors.fixed_input.OnnxSession", lambda *_: session)
        return create_detector(name, weights="fake.onnx"), session

    return make


def nanodet_outputs(size=64):
    counts = {stride: (size // stride) ** 2 for stride in (8, 16, 32)}
    return {f"scores_{s}": np.zeros((1, n, 3), np.float32) for s, n in counts.items()} | {
        f"boxes_{s}": np.zeros((1, n, 44), np.float32) for s, n in counts.items()
    }


def test_nanodet_takes_the_mean_of_each_sides_distances(fake):
    outputs = nanodet_outputs()
    cell = 1 * 4 + 2  # row 1, column 2 of the 4 x 4 cells of 16 px
    outputs["scores_16"][0, cell] = (0.2, 0.8, 0.6)
    sides = np.full((4, 11), -40.0)
    sides[0, 1] = sides[1, 0] = sides[2, 1] = sides[3, 2] = 0.0  # left 1, top 0, right 1, bottom 2 cells
    sides[0, 2] = np.log(3.0)  # a quarter of it 1, three quarters 2: 1.75
    outputs["boxes_16"][0, cell] = sides.ravel()
    detector, session = fake("nanodet", outputs, 64)
    dog, tv = detector.detect(np.full((112, 128), 9, np.uint8), 0.5)
    assert (dog.label, tv.label) == ("dog", "tv")
    assert dog.score == pytest.approx(0.8)
    # The input's centre (40, 24) is (80, 48) in the image, and so are distances twice as long.
    assert dog.box == pytest.approx((80 - 56, 48, 80 + 32, 48 + 64), abs=1e-3)
    assert session.image.shape == (64, 64)
    assert (session.image[:56] == 9).all()
    assert (session.image[56:] == 0).all()


def test_centernet_takes_the_peaks_of_each_class(fake):
    heat, sides = np.zeros((1, 16, 16, 3), np.float32), np.zeros((1, 16, 16, 4), np.float32)
    heat[0, 5, 6, 1] = 0.9
    heat[0, 6, 7, 1] = 0.7  # beside a better one of its class
    heat[0, 5, 7, 2] = 0.5  # beside one of another class
    heat[0, 15, 0, 0] = 0.4  # in the corner
    sides[0, 5, 6] = (4, 8, 12, 16)
    sides[0, 5, 7] = sides[0, 15, 0] = 8
    detector, _ = fake("centernet", {"heat": heat, "sides": sides}, 64)
    dog, tv, cat = detector.detect(np.zeros((64, 64), np.uint8), 0.3)
    assert (dog.label, dog.box) == ("dog", (20, 12, 36, 36))
    assert (tv.label, tv.box) == ("tv", (20, 12, 36, 28))
    assert (cat.label, cat.box) == ("cat", (0, 52, 8, 64))
    assert [d.label for d in detector.detect(np.zeros((64, 64), np.uint8), 0.3, {"tv"})] == ["tv"]
    assert detector.detect(np.zeros((64, 64), np.uint8), 0.95) == []


def test_nanodet_that_finds_nothing_says_so(fake):
    detector, _ = fake("nanodet", nanodet_outputs(), 64)
    assert detector.detect(np.zeros((340, 640), np.uint8), 0.1) == []


@pytest.mark.parametrize("says", ["centernet", "yolo"])
def test_a_model_of_another_kind_is_refused(fake, says):
    with pytest.raises(ModelError, match=r"fake\.onnx is not a model for the detector nanodet"):
        fake("nanodet", {}, 64, says)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_model_says_the_command_that_fetches_it(name, monkeypatch, tmp_path):
    monkeypatch.setenv("DASHA_ASSETS", str(tmp_path))
    with pytest.raises(ModelError, match=rf"{name}\.onnx is not in .* run `.*--set detectors`"):
        create_detector(name)


@pytest.fixture(scope="module", params=FILES)
def detector(request, fetched):
    fetched(FILES[request.param])
    return create_detector(request.param)


def overlap(a, b):
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / union


OBJECTS = [
    ("dog.jpg", "dog", (125, 220, 315, 540)),
    ("dog.jpg", "bicycle", (120, 125, 570, 425)),
    ("dog.jpg", "car", (465, 75, 690, 170)),
    ("bus.jpg", "bus", (15, 230, 800, 740)),
    ("bus.jpg", "person", (50, 400, 245, 900)),
    ("eagle.jpg", "bird", (125, 85, 610, 445)),
    ("giraffe.jpg", "giraffe", (165, 38, 450, 440)),
    ("giraffe.jpg", "zebra", (305, 203, 420, 443)),
]
"""What photographs show, and where, by eye."""


@pytest.mark.parametrize(("photo", "label", "box"), OBJECTS)
def test_finds_what_is_in_a_photograph(detector, fetched, photo, label, box):
    image = cv2.imread(str(fetched(f"photos/{photo}")), cv2.IMREAD_GRAYSCALE)
    best = next((d for d in detector.detect(image, 0.3) if d.label == label), None)
    assert best is not None
    assert overlap(best.box, box) > 0.6


def test_nothing_is_found_in_noise_or_darkness(detector):
    noise = np.random.default_rng(0).integers(0, 256, (340, 640), dtype=np.uint8)
    for image in (noise, np.zeros((340, 640), np.uint8), np.full((340, 640), 255, np.uint8)):
        assert detector.detect(image, 0.5) == []


def test_labels_are_cocos(detector):
    assert len(set(detector.labels)) == len(detector.labels) == 80
    assert {"person", "motorcycle", "couch", "tv"} <= set(detector.labels)
