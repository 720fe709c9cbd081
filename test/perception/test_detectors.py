from __future__ import annotations

import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dasha_ros.assets import models
from dasha_ros.perception.detectors import create_detector
from dasha_ros.perception.detectors.boxes import MAX_DETECTIONS, suppress_overlaps, to_detections
from dasha_ros.perception.detectors.yolov3_tiny import YoloV3Tiny
from dasha_ros.perception.errors import ModelError, UnknownModelError

LABELS = ("cat", "dog", "tv")


def overlap(a, b):
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / union


box_lists = st.lists(
    st.tuples(
        st.integers(0, 40), st.integers(0, 40), st.integers(2, 20), st.integers(2, 20), st.integers(0, 1)
    ),
    max_size=25,
)


@given(box_lists, st.randoms())
def test_suppression_equals_the_greedy_definition(rows, random):
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h, _ in rows], np.float32).reshape(-1, 4)
    classes = np.array([row[4] for row in rows], np.intp)
    scores = np.array(random.sample(range(1, 100), len(rows)), np.float32) / 100
    kept: list[int] = []
    for index in np.argsort(-scores):
        rivals = [k for k in kept if classes[k] == classes[index]]
        if all(overlap(boxes[index], boxes[k]) <= 0.45 for k in rivals):
            kept.append(int(index))
    found = suppress_overlaps(boxes, scores, classes, 0.45)
    assert sorted(found.tolist()) == sorted(kept)


def test_detections_are_cut_filtered_and_sorted():
    boxes = np.array([(-5, 2, 30, 50), (1, 1, 9, 9), (60, 2, 80, 9), (2, 2, 8, 8)], np.float32)
    scores = np.array([0.5, 0.9, 0.8, 0.6], np.float32)
    classes = np.array([0, 1, 0, 2], np.intp)
    found = to_detections(boxes, scores, classes, names=LABELS, wanted=("cat", "dog"), size=(40, 30))
    assert [(d.label, d.box) for d in found] == [("dog", (1, 1, 9, 9)), ("cat", (0, 2, 30, 30))]


def test_only_the_best_are_kept():
    boxes = np.tile(np.array([1, 1, 9, 9], np.float32), (500, 1))
    scores = np.linspace(0.1, 0.9, 500, dtype=np.float32)
    zeros = np.zeros(500, np.intp)
    found = to_detections(boxes, scores, zeros, names=LABELS, wanted=(), size=(40, 30))
    assert len(found) == MAX_DETECTIONS
    assert found[0].score == pytest.approx(0.9)


class FakeSession:
    """Replaces a network: every cell is empty, except where a test puts an object."""

    path = "fake.onnx"

    def __init__(self, objects=()) -> None:
        self.objects = objects
        heads = [{"output": "head", "stride": 32, "anchors": [[20, 10], [64, 96]]}]
        self.metadata, self.labels = {"heads": json.dumps(heads)}, LABELS

    def check_output(self, name, axis, per_label, extra):
        assert (name, axis, per_label, extra) == ("head", 1, 2, 10)

    def run(self, image):
        self.image = image
        rows, columns = (side // 32 for side in image.shape)
        cells = np.full((2, 5 + len(LABELS), rows, columns), -9.0, np.float32)
        for anchor, row, column, values in self.objects:
            cells[anchor, :, row, column] = values
        return {"head": cells.reshape(1, -1, rows, columns)}


@pytest.fixture
def fake(monkeypatch):
    def make(objects=(), size=320):
        session = FakeSession(objects)
        monkeypatch.setattr("dasha_ros.perception.detectors.yolov3_tiny.OnnxSession", lambda *_: session)
        return YoloV3Tiny("fake.onnx", input_size=size), session

    return make


def logit(p):
    return float(np.log(p / (1 - p)))


def test_cells_become_boxes_of_the_image(fake):
    # centre at cell (column 3, row 2) plus (0.5, 0.25); twice as wide as the anchor, half as high
    values = [0.0, logit(0.25), np.log(2), np.log(0.5), logit(0.8), logit(0.5), logit(0.9), logit(0.02)]
    detector, _ = fake([(1, 2, 3, values)])
    image = np.zeros((340, 640), np.uint8)  # scaled by 0.5 to 170 x 320, padded to 192 x 320
    dog, cat = detector.detect(image, 0.3)
    assert (dog.label, cat.label) == ("dog", "cat")
    assert dog.score == pytest.approx(0.72)
    assert cat.score == pytest.approx(0.4)
    centre, half = np.array([3.5, 2.25]) * 32, np.array([64.0, 24.0])
    assert dog.box == pytest.approx([*((centre - half) * 2), *((centre + half) * 2)], rel=1e-5)
    assert [d.label for d in detector.detect(image, 0.3, labels={"cat"})] == ["cat"]
    assert [d.label for d in detector.detect(image, 0.5)] == ["dog"]


@settings(max_examples=40)
@given(st.integers(32, 700), st.integers(32, 700), st.sampled_from([320, 416, 640]))
def test_letterbox_fills_the_longer_side_and_pads_less_than_a_cell(rows, columns, size):
    detector = object.__new__(YoloV3Tiny)
    detector._size = size
    image, scale = detector._letterbox(np.full((rows, columns), 7, np.uint8))
    assert max(image.shape) == size
    assert all(side % 32 == 0 for side in image.shape)
    height, width = round(rows * scale), round(columns * scale)
    assert image.shape[0] - height < 32
    assert image.shape[1] - width < 32
    assert (image[:height, :width] == 7).all()
    assert (image[height:] == 128).all()
    assert (image[:, width:] == 128).all()


def test_nothing_found_is_an_empty_list(fake):
    detector, _ = fake()
    assert detector.detect(np.zeros((340, 640), np.uint8), 0.1) == []


@pytest.mark.parametrize("size", [0, -32, 31, 400])
def test_sizes_that_do_not_divide_into_cells_are_refused(size):
    with pytest.raises(ModelError, match=f"multiple of 32, not {size}"):
        YoloV3Tiny("any.onnx", input_size=size)


def test_model_without_heads_is_refused(monkeypatch):
    session = SimpleNamespace(path="other.onnx", metadata={"encoder": "efficientnet_lite0"})
    monkeypatch.setattr("dasha_ros.perception.detectors.yolov3_tiny.OnnxSession", lambda *_: session)
    with pytest.raises(ModelError, match=r"other\.onnx is not a YOLO model"):
        YoloV3Tiny("other.onnx")


def test_unknown_detector_is_refused_with_those_that_exist():
    with pytest.raises(
        UnknownModelError,
        match=r"'yolov9'.*yolov3_tiny, nanodet, centernet, ultralytics, faster_rcnn, retinanet",
    ):
        create_detector("yolov9")


@pytest.mark.parametrize(
    ("name", "why"),
    [("no_module:Mine", "No module named 'no_module'"), ("cv2:Mine", "has no attribute 'Mine'")],
)
def test_an_own_class_that_can_not_be_imported_is_named_with_the_reason(name, why):
    with pytest.raises(UnknownModelError, match=f"no detector called '{name}' .*{why}"):
        create_detector(name)


@pytest.fixture(scope="module")
def photograph(fetched):
    def read(name):
        return cv2.imread(str(fetched(f"photos/{name}")), cv2.IMREAD_GRAYSCALE)

    return read


@pytest.fixture(scope="module", params=[320, 416, 640])
def yolo(request, fetched):
    fetched(models.YOLOV3_TINY)
    return create_detector("yolov3_tiny", input_size=request.param)


DOG = {"dog": (125, 220, 315, 540), "bicycle": (120, 125, 570, 425), "car": (465, 75, 690, 170)}
"""Positions of the objects in darknet's dog.jpg, 768 x 576, by eye."""


def test_finds_what_is_in_a_photograph(yolo, photograph):
    image = photograph("dog.jpg")
    found = yolo.detect(image, 0.25)
    for label, box in DOG.items():
        if label == "dog" and yolo._size == 320:
            continue  # too small there without colours
        best = next((d for d in found if d.label == label), None)
        assert best is not None, f"no {label} among {found}"
        assert overlap(best.box, box) > 0.5


def test_boxes_follow_the_image(yolo, photograph):
    image = photograph("dog.jpg")
    bigger = cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    small, large = (next(d for d in yolo.detect(i, 0.2) if d.label == "car") for i in (image, bigger))
    assert np.array(large.box) == pytest.approx(np.array(small.box) * 2, abs=24)


def test_labels_are_cocos(fetched):
    fetched(models.YOLOV3_TINY)
    labels = create_detector("yolov3_tiny").labels
    assert len(set(labels)) == len(labels) == 80
    assert {"person", "motorcycle", "airplane", "couch", "potted plant", "dining table", "tv"} <= set(labels)
    assert not {"motorbike", "tvmonitor"} & set(labels)


def test_nothing_is_found_in_noise_or_darkness(yolo):
    noise = np.random.default_rng(0).integers(0, 256, (340, 640), dtype=np.uint8)
    for image in (noise, np.zeros((340, 640), np.uint8), np.full((340, 640), 255, np.uint8)):
        assert yolo.detect(image, 0.5) == []
