"""The names of classes: texts, as many as the network has classes, whoever made the detector."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from dasha_ros.assets import models
from dasha_ros.freshness.command import NO_COMMAND
from dasha_ros.freshness.state import CaptureInfo, LensState
from dasha_ros.perception.detectors import create_detector
from dasha_ros.perception.errors import ModelError
from dasha_ros.perception.models.session import OnnxSession
from dasha_ros.perception.percept import Detection
from dasha_ros.perception.pipeline import Perception

NAMES = ["cat", "dog"]
HEADS = json.dumps([{"output": "head", "stride": 32, "anchors": [[20, 10], [64, 96], [9, 9]]}])
OUTPUTS = {
    "yolov3_tiny": {"head": [1, 21, "rows", "columns"]},
    "nanodet": {f"scores_{s}": [1, (64 // s) ** 2, 2] for s in (8, 16, 32)}
    | {f"boxes_{s}": [1, (64 // s) ** 2, 44] for s in (8, 16, 32)},
    "centernet": {"heat": [1, 16, 16, 2], "sides": [1, 16, 16, 4]},
}
"""Of networks of two classes."""


def network(folder: Path, detector: str, **metadata: str) -> Path:
    """A detector's file with the right outputs, all zeros."""
    nodes, made = [], []
    for name, shape in OUTPUTS[detector].items():
        whole = [side if isinstance(side, int) else 2 for side in shape]
        zeros = helper.make_tensor(f"z_{name}", TensorProto.FLOAT, whole, np.zeros(whole).ravel())
        nodes.append(helper.make_node("Constant", [], [name], value=zeros))
        made.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, [1, 1, "height", "width"])
    graph = helper.make_graph(nodes, "g", [image], made)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    told = {"detector": detector, "size": "64", "heads": HEADS, "labels": json.dumps(NAMES), **metadata}
    helper.set_model_props(model, {key: value for key, value in told.items() if value})
    onnx.save(model, folder / "mine.onnx")
    return folder / "mine.onnx"


@pytest.mark.parametrize("name", OUTPUTS)
def test_as_many_names_as_classes_are_taken(tmp_path: Path, name: str) -> None:
    assert tuple(create_detector(name, weights=network(tmp_path, name), input_size=64).labels) == (
        "cat",
        "dog",
    )


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (["cat"], "names 1 class, and its output"),
        (["cat", "dog", "tv"], "names 3 classes, and its output"),
        ([0, 1], "the name 0 of its class 0 is no text"),
        (["cat", None], "the name None of its class 1 is no text"),
        (["cat", " "], "of its class 1 is empty"),
        (["cat", "a\0b"], "of its class 1 holds a zero byte"),
        (["cat", "a\udcff"], "of its class 1 is no valid text"),
        ([], "names no classes"),
        ({"0": "cat"}, "names no classes"),
        ("cat", "names no classes"),
        (5, "names no classes"),
    ],
)
def test_other_names_in_a_file_are_refused_when_it_is_loaded(
    tmp_path: Path, name: str, labels: Any, says: str
) -> None:
    path = network(tmp_path, name, labels=json.dumps(labels))
    with pytest.raises(ModelError, match=rf"mine\.onnx.* ?{says}.*`python -m dasha_ros\.assets\.convert`"):
        create_detector(name, weights=path, input_size=64)


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("labels", ["", "[cat"])
def test_a_file_that_names_no_classes_is_refused(tmp_path: Path, name: str, labels: str) -> None:
    with pytest.raises(ModelError, match=r"mine\.onnx names no classes"):
        create_detector(name, weights=network(tmp_path, name, labels=labels), input_size=64)


@pytest.mark.parametrize(
    ("heads", "says"),
    [("[]", "list of heads is empty"), (HEADS.replace('"head"', '"nose"'), "no output nose")],
)
def test_heads_that_are_none_are_refused(tmp_path: Path, heads: str, says: str) -> None:
    with pytest.raises(ModelError, match=rf"mine\.onnx.*{says}"):
        create_detector("yolov3_tiny", weights=network(tmp_path, "yolov3_tiny", heads=heads))


def test_only_for_a_file_of_the_set_up_the_advice_is_to_run_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / models.YOLOV3_TINY
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"PK\x03\x04" + bytes(99))
    with pytest.raises(ModelError, match=r"can read .*Give an ONNX file .*detector ultralytics") as said:
        OnnxSession(path, 1)
    assert "set-up again" not in str(said.value)
    assert "\n" not in str(said.value)
    monkeypatch.setenv("DASHA_ASSETS", str(tmp_path))
    with pytest.raises(ModelError, match="Run the set-up again"):
        OnnxSession(path, 1)


class Own:
    """A detector of a user's own."""

    id, labels, found = "own", ("cup",), ()

    def __init__(self, **_: Any) -> None:
        """Nothing to load."""

    def detect(self, *_: Any, **__: Any) -> Any:
        return self.found


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ((0, 1), "label 0 is no text"),
        (("cup", None), "label None is no text"),
        (("cup", ""), "label '' is empty"),
        (("cup\0x",), "holds a zero byte"),
        (("cup\udcff",), "is no valid text"),
        ("cup", "labels are 'cup', not a tuple"),
        (None, "labels are None, not a tuple"),
        ({"cup": 1}, "not a tuple"),
    ],
)
def test_an_own_detectors_labels_must_be_texts(
    monkeypatch: pytest.MonkeyPatch, labels: Any, says: str
) -> None:
    monkeypatch.setattr(Own, "labels", labels)
    module = ModuleType("own_detectors")
    module.Own = Own  # type: ignore[attr-defined]
    monkeypatch.setitem(__import__("sys").modules, "own_detectors", module)
    with pytest.raises(ModelError, match=rf"The detector own: its .*{says}"):
        create_detector("own_detectors:Own")
    with pytest.raises(ModelError, match=rf"The detector own: its .*{says}"):
        Perception(Encoder(), Own())


def test_names_that_numpy_holds_are_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Own, "labels", tuple(np.array(["cup", "dog"])))
    assert Perception(Encoder(), Own()).detector.labels == ("cup", "dog")


class Encoder:
    id, size = "none", 1

    def encode(self, grey: Any) -> Any:
        return np.zeros(1, np.float32)


BOX = (1.0, 2.0, 30.0, 40.0)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([Detection(3, 0.9, BOX)], "whose label 3 is no text"),  # type: ignore[arg-type]
        ([Detection("cup", 0.9, BOX), Detection(None, 0.9, BOX)], "whose label None is no text"),  # type: ignore[arg-type]
        ([Detection("cup", "much", BOX)], "score 'much'"),  # type: ignore[arg-type]
        ([Detection("cup", 0.9, BOX[:3])], "four are needed"),  # type: ignore[arg-type]
        ([Detection("cup", 0.9, (1.0, 2.0, None, 4.0))], "four are needed"),  # type: ignore[arg-type]
        ([("cup", 0.9, BOX)], "which is no Detection"),
        (None, "returned None, not a list"),
        (7, "returned 7, not a list"),
    ],
)
def test_what_an_own_detector_finds_must_be_detections(
    monkeypatch: pytest.MonkeyPatch, found: Any, says: str
) -> None:
    perception = Perception(Encoder(), Own())
    monkeypatch.setattr(Own, "found", found)
    with pytest.raises(ModelError, match=rf"The detector own .*{says}"):
        look(perception)


def test_numbers_of_numpy_are_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    perception = Perception(Encoder(), Own())
    box = tuple(np.array(BOX, np.float32))
    monkeypatch.setattr(Own, "found", [Detection("cup", np.float32(0.9), box)])  # type: ignore[arg-type]
    assert [d.label for d in look(perception).detections] == ["cup"]


@pytest.mark.parametrize("numbers", [np.array, lambda values: np.array(values, np.float16)])
def test_a_box_may_be_an_array_and_a_find_any_iterable(monkeypatch: pytest.MonkeyPatch, numbers: Any) -> None:
    perception = Perception(Encoder(), Own())
    found = Detection("cup", numbers(0.5), numbers(BOX))
    for kind in (list, tuple, iter):
        monkeypatch.setattr(Own, "found", kind([found]))
        (seen,) = look(perception).detections
        assert type(seen.score) is float
        assert seen.score == 0.5
        assert [type(value) for value in seen.box] == [float] * 4


@pytest.mark.parametrize("labels", [["cup"], {"cup"}, {0: "cup"}.values(), np.array(["cup"])])
def test_labels_may_be_any_collection(monkeypatch: pytest.MonkeyPatch, labels: Any) -> None:
    monkeypatch.setattr(Own, "labels", labels)
    assert list(Perception(Encoder(), Own()).detector.labels) == ["cup"]


class Told(Own):
    takes_words = True
    words: tuple[str, ...] = ()

    def look_for(self, words: Any) -> None:
        Told.words = tuple(words)


def test_an_own_detector_is_told_the_words_that_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A graph keeps the word of a goal, so that the detector can be made again with it."""
    module = ModuleType("own_detectors")
    module.Own, module.Told = Own, Told  # type: ignore[attr-defined]
    monkeypatch.setitem(__import__("sys").modules, "own_detectors", module)
    Perception(Encoder(), "own_detectors:Told", detector_classes=["door", "mug"])
    assert Told.words == ("door", "mug")
    with pytest.raises(ModelError, match="own_detectors:Own knows its own classes only"):
        Perception(Encoder(), "own_detectors:Own", detector_classes=["door"])


def look(perception: Perception) -> Any:
    capture = CaptureInfo(0, 0.0, 0.0, NO_COMMAND, 0)
    lens = LensState(NO_COMMAND, 0.0, 0.0, True, 0)
    return perception.perceive(np.zeros((340, 640), np.uint8), "mono8", capture, lens)
