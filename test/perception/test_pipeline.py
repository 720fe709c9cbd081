from __future__ import annotations

import subprocess
import sys
from dataclasses import fields, replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dasha_ros.assets import models
from dasha_ros.freshness.command import CommandId
from dasha_ros.freshness.state import CaptureInfo, LensState
from dasha_ros.perception.errors import ImageError, ModelError, UnknownModelError
from dasha_ros.perception.percept import Detection
from dasha_ros.perception.pipeline import Perception
from dasha_ros.perception.quality.brisque import BrisqueModel
from dasha_ros.perception.quality.detail_map import detail_map
from dasha_ros.perception.quality.light import light_of
from dasha_ros.perception.quality.sharpness import Sharpness

CAPTURE = CaptureInfo(
    stamp_ns=5, exposure_us=2e4, gain_db=0.0, exposure_command=CommandId("h", 3), sequence=1
)
LENS = LensState(
    command=CommandId("l", 2), commanded_position=47.0, position=46.98, settled=True, settled_at_ns=4
)
STAGES = {"resize", "encoder", "detector", "brisque", "histogram", "detail", "sharpness", "total"}


class Encoder:
    """Its latent is the image's mean and deviation."""

    id = "moments"
    size = 2

    def encode(self, grey):
        return np.array([grey.mean(), grey.std()], np.float32)


class Detector:
    """Finds one dog, in the left upper quarter."""

    id = "quarter"
    labels = ("dog", "cat")

    def detect(self, grey, min_score=0.1, labels=()):
        self.asked = grey.shape, min_score, labels
        rows, columns = grey.shape
        return [Detection("dog", 0.75, (0.0, 0.0, columns / 2, rows / 2))]


@pytest.fixture(scope="module")
def brisque_file(tmp_path_factory):
    random = np.random.default_rng(0)
    vectors, coefficients = random.uniform(-1, 1, (9, 36)), random.uniform(-9, 9, 9)
    model = BrisqueModel(vectors, coefficients, 0.05, -40.0, np.full(36, -1.0), np.full(36, 3.0))
    path = tmp_path_factory.mktemp("models") / "brisque.npz"
    with path.open("wb") as file:
        model.save(file)
    return path


@pytest.fixture(scope="module")
def perception(brisque_file):
    return Perception(Encoder(), Detector(), brisque_model=brisque_file)


def frame(rows=1088, columns=2048, seed=0):
    random = np.random.default_rng(seed)
    scene = cv2.resize(random.uniform(40, 200, (rows // 8, columns // 8)), (columns, rows))
    return np.clip(scene + random.normal(0, 3, scene.shape), 0, 255).astype(np.uint8)


def test_percept_holds_settings_and_content_of_the_frame(perception):
    image = frame()
    percept = perception.perceive(image, "mono8", CAPTURE, LENS)
    assert percept.capture is CAPTURE
    assert percept.lens is LENS
    assert (percept.width, percept.height) == (2048, 1088)
    assert percept.encoder == "moments"
    assert percept.latent[0] == pytest.approx(image.mean(), abs=0.6)
    assert percept.mean_grey == pytest.approx(image.mean(), abs=0.6)
    assert percept.histogram_counts.sum() == 640 * 340
    assert percept.histogram_edges.shape == (11,)
    assert percept.is_finite()
    assert percept.stage_ms.keys() == STAGES
    parts = sum(value for stage, value in percept.stage_ms.items() if stage != "total")
    assert 0 < parts <= percept.stage_ms["total"]


def test_boxes_are_in_pixels_of_the_full_image(perception):
    image = frame()
    image[:544, :1024] //= 2
    (found,) = perception.perceive(image, "mono8", CAPTURE, LENS).detections
    assert found.box == pytest.approx((0, 0, 1024, 544))
    grey = cv2.resize(image, (640, 340), interpolation=cv2.INTER_AREA)
    assert found.sharpness == pytest.approx(Sharpness(grey).box((0, 0, 320, 170)), rel=0.3)


@pytest.mark.parametrize("kind", ["encoder", "detector"])
def test_the_error_of_a_model_says_whose_it_is(perception, monkeypatch, kind):
    def boo(*args):
        raise KeyError("boo")

    name, what = {"encoder": ("encode", "moments"), "detector": ("detect", "quarter")}[kind]
    monkeypatch.setattr(getattr(perception, kind), name, boo)
    with pytest.raises(ModelError, match=rf"^The {kind} {what} failed with KeyError: 'boo'\.$"):
        perception.warm_up(640, 340)


def test_threshold_and_labels_reach_the_detector(brisque_file):
    detector = Detector()
    perception = Perception(
        Encoder(), detector, brisque_model=brisque_file, width=320, min_score=0.4, labels=["cat", "Motorbike"]
    )
    perception.perceive(frame(), "mono8", CAPTURE, LENS)
    assert detector.asked == ((170, 320), 0.4, {"cat", "motorcycle"})
    perception.min_score = 0.6
    perception.perceive(frame(), "mono8", CAPTURE, LENS)
    assert detector.asked[1] == 0.6


def test_encodings_of_one_scene_give_one_percept(perception):
    image = frame()
    views = {
        "mono8": image,
        "mono12": (image.astype(np.float64) * 4095 / 255).astype(np.uint16),
        "mono16": image.astype(np.uint16) * 257,
        "rgb8": np.dstack([image] * 3),
        "bgr8": np.dstack([image] * 3),
    }
    percepts = [perception.perceive(view, encoding, CAPTURE, LENS) for encoding, view in views.items()]
    for percept in percepts[1:]:
        assert percept.brisque == pytest.approx(percepts[0].brisque, abs=0.2)
        assert percept.mean_grey == pytest.approx(percepts[0].mean_grey, abs=0.6)
        assert percept.detections[0].box == percepts[0].detections[0].box


def test_detail_is_read_from_colours_only_if_asked(brisque_file):
    random = np.random.default_rng(4)
    image = np.dstack([random.integers(0, 256, (340, 640), np.uint8), np.full((340, 640), 90, np.uint8)] * 2)
    image = np.ascontiguousarray(image[:, :, :3])
    image[..., 2] = cv2.GaussianBlur(image[..., 0], (0, 0), 3.0)
    perception = Perception(Encoder(), Detector(), brisque_model=brisque_file)
    assert len(perception.perceive(image, "rgb8", CAPTURE, LENS).colour_detail) == 0
    perception.colour_detail = True
    percept = perception.perceive(image, "rgb8", CAPTURE, LENS)
    red, blue = percept.colour_detail
    np.testing.assert_array_equal(red, detail_map(np.ascontiguousarray(image[..., 0])))
    np.testing.assert_array_equal(blue, detail_map(np.ascontiguousarray(image[..., 2])))
    assert percept.stage_ms.keys() == STAGES | {"colour"}
    assert len(perception.perceive(image[..., 0].copy(), "mono8", CAPTURE, LENS).colour_detail) == 0


@settings(max_examples=30)
@given(
    st.integers(32, 300),
    st.integers(32, 300),
    st.integers(0, 255),
    st.sampled_from([0.0, 0.3, 10.0, 100.0]),
    st.integers(0, 99),
)
def test_every_frame_of_every_light_gives_finite_numbers(perception, rows, columns, level, noise, seed):
    light = level + np.random.default_rng(seed).normal(0, noise, (rows, columns))
    percept = perception.perceive(np.clip(light, 0, 255).astype(np.uint8), "mono8", CAPTURE, LENS)
    assert percept.is_finite()
    assert percept.sharpness >= 0
    assert 0 <= percept.mean_grey <= 255
    assert percept.histogram_counts.sum() == rows * columns


def test_an_invalid_frame_changes_nothing(perception):
    percept = perception.perceive(frame(64, 64), "mono8", CAPTURE, LENS)
    with pytest.raises(ImageError, match="uint16"):
        perception.perceive(frame(64, 64).astype(np.uint16), "mono8", CAPTURE, LENS)
    assert perception.annotated_jpeg(percept)


def test_the_frame_is_not_modified(perception):
    image = frame(200, 300)
    before = image.copy()
    perception.perceive(image, "mono8", CAPTURE, LENS)
    np.testing.assert_array_equal(image, before)


def test_only_the_last_percept_has_a_picture(perception):
    first = perception.perceive(frame(), "mono8", CAPTURE, LENS)
    picture = cv2.imdecode(np.frombuffer(perception.annotated_jpeg(first), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (340, 640, 3)
    later = CaptureInfo(9, 2e4, 0.0, CommandId("h", 3), 2)
    perception.perceive(frame(), "mono8", later, LENS)
    with pytest.raises(ValueError, match="last percept"):
        perception.annotated_jpeg(first)


def test_warm_up_leaves_no_picture(brisque_file):
    perception = Perception(Encoder(), Detector(), brisque_model=brisque_file)
    perception.warm_up()
    with pytest.raises(ValueError, match="last percept"):
        perception.annotated_jpeg(
            Perception(Encoder(), Detector(), brisque_model=brisque_file).perceive(
                frame(64, 64), "mono8", CAPTURE, LENS
            )
        )


def test_missing_models_are_explained(tmp_path, monkeypatch, brisque_file):
    with pytest.raises(UnknownModelError, match="no detector called 'hog'"):
        Perception(Encoder(), "hog", brisque_model=brisque_file)
    monkeypatch.setenv("DASHA_ASSETS", str(tmp_path))
    with pytest.raises(ModelError, match=r"brisque\.npz is not in"):
        Perception(Encoder(), Detector())
    with pytest.raises(ModelError, match=r"efficientnet-lite0\.onnx is not in"):
        Perception()
    with pytest.raises(ModelError, match=r"yolov3-tiny\.onnx is not in"):
        Perception(Encoder())


def test_embedded_models_see_a_dog(fetched):
    for name in (models.BRISQUE, models.YOLOV3_TINY, models.EFFICIENTNET_LITE0):
        fetched(name)
    photograph = cv2.imread(str(fetched("photos/dog.jpg")), cv2.IMREAD_GRAYSCALE)
    image = cv2.resize(photograph, (1536, 1152), interpolation=cv2.INTER_LINEAR)
    perception = Perception()
    sharp = perception.perceive(image, "mono8", CAPTURE, LENS)
    (dog,) = sharp.of(["dog"], 0.4)
    x_min, y_min, x_max, y_max = dog.box
    assert 200 < x_min < 320
    assert 400 < y_min < 500
    assert 580 < x_max < 700
    assert 1000 < y_max <= 1152
    blurred = perception.perceive(cv2.GaussianBlur(image, (0, 0), 24), "mono8", CAPTURE, LENS)
    assert not blurred.of(["dog"], 0.4)
    assert blurred.brisque > sharp.brisque + 30
    assert blurred.sharpness < sharp.sharpness / 10


@pytest.mark.parametrize("module", ["percept", "labels", "errors", "encoders", "detectors", "models"])
def test_contracts_import_nothing_heavy(module):
    heavy = ("cv2", "onnxruntime", "onnx", "torch", "scipy", "skimage")
    code = (
        f"import sys, dasha_ros.perception.{module}; "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_what_a_detector_elsewhere_found_is_taken_instead(perception):
    frame = np.zeros((1088, 2048), np.uint8)
    frame[400:600:2, 800:1000] = 200  # the only structure
    found = [
        Detection("cup", 0.9, (800.0, 400.0, 1000.0, 600.0)),
        Detection("cat", 0.05, (0.0, 0.0, 100.0, 100.0)),
        Detection("dog", 0.5, (0.0, 0.0, 100.0, 100.0)),
    ]
    percept = perception.perceive(frame, "mono8", CAPTURE, LENS, found)
    assert [d.label for d in percept.detections] == ["cup", "dog"], "below min_score"
    cup, dog = percept.detections
    assert cup.box == pytest.approx(found[0].box)
    assert cup.sharpness > 0.0
    assert dog.sharpness == 0.0
    assert perception.perceive(frame, "mono8", CAPTURE, LENS, []).detections == ()


def test_the_light_is_measured_when_somebody_asks_and_nothing_else_changes(perception):
    image = frame()
    image[:544, :1024] //= 2
    without = perception.perceive(image, "mono8", CAPTURE, LENS)
    asked = perception.perceive(image, "mono8", CAPTURE, LENS, meter=(0.0, 0.5, 1.0, 1.0))
    assert without.light is None
    assert all(found.light is None for found in without.detections)
    assert asked.light == light_of(perception.picture(asked), (0, 170, 640, 340))
    (found,) = asked.detections
    assert found.light is not None
    assert found.light.mean_grey == pytest.approx(image[:544, :1024].mean(), abs=1.0)
    assert asked.is_finite()
    unlit = replace(
        asked, light=None, detections=tuple(replace(d, light=None) for d in asked.detections), stage_ms={}
    )
    for name in (field.name for field in fields(unlit)):
        if name != "stage_ms":
            np.testing.assert_equal(getattr(unlit, name), getattr(without, name))
