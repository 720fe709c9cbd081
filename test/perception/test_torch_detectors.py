from __future__ import annotations

import sys

import numpy as np
import pytest

from dasha_ros.perception.detectors import create_detector
from dasha_ros.perception.errors import ModelError

pytestmark = pytest.mark.torch
IMAGE = np.random.default_rng(0).integers(0, 256, (170, 320), dtype=np.uint8)
TORCHVISION = ("faster_rcnn", "retinanet")


def no_network(*_args, **_kwargs):
    raise OSError("no route to host")


def check(found, detector, wanted=()):
    """The detections of an untrained network are well formed."""
    assert [d.score for d in found] == sorted((d.score for d in found), reverse=True)
    for detection in found:
        x_min, y_min, x_max, y_max = detection.box
        assert 0 <= x_min < x_max <= 320
        assert 0 <= y_min < y_max <= 170
        assert detection.label in (wanted or detector.labels)


@pytest.mark.slow
@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvision_runs_without_training(name):
    torch = pytest.importorskip("torch")
    pytest.importorskip("torchvision")
    torch.manual_seed(0)
    detector = create_detector(name, weights="random", input_size=160)
    assert detector.id == name
    assert len(detector.labels) == 80
    assert {"person", "motorcycle"} <= set(detector.labels)
    found = detector.detect(IMAGE, 0.0)
    assert found
    check(found, detector)
    wanted = {found[0].label}
    only = detector.detect(IMAGE, 0.0, wanted)
    assert only
    check(only, detector, wanted)
    assert detector.detect(IMAGE, 1.0) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvisions_missing_weights_are_explained(name, tmp_path, monkeypatch):
    pytest.importorskip("torchvision")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", no_network)
    with pytest.raises(ModelError, match=r"_coco-\w+\.pth \(no route to host\).*copy it into"):
        create_detector(name, input_size=160)


def test_missing_torchvision_is_explained(monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(ModelError, match="needs torchvision"):
        create_detector("retinanet", weights="random")


@pytest.mark.slow
def test_ultralytics_runs_without_training():
    pytest.importorskip("ultralytics")
    detector = create_detector("ultralytics", weights="random", input_size=320)
    assert detector.id == "ultralytics:yolov5n.yaml"
    assert len(detector.labels) == 80
    check(detector.detect(IMAGE, 1e-6), detector)
    assert detector.detect(IMAGE, 1.0) == []


def test_unreadable_ultralytics_weights_are_explained(tmp_path, monkeypatch):
    pytest.importorskip("ultralytics")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.pt").touch()
    with pytest.raises(ModelError, match=r"The model .*empty\.pt: is empty"):
        create_detector("ultralytics", weights=tmp_path / "empty.pt")


def test_a_missing_file_is_explained_before_anything_is_imported(monkeypatch):
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    with pytest.raises(ModelError, match=r"Cannot get the model /nowhere/net\.pt \(there is no such file\)"):
        create_detector("ultralytics", weights="/nowhere/net.pt")


def test_missing_ultralytics_is_explained(monkeypatch):
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    with pytest.raises(ModelError, match=r"run \./scripts/setup --torch, or choose"):
        create_detector("ultralytics")
