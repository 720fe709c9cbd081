"""An unknown label gets suggestions."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.perception.labels import meant, one_by_one, unknown_label
from dasha_ros.perception.synonyms import GROUPS

KNOWN = ("person", "motorcycle", "tv", "dining table")
COCO = (
    *(group[0] for group in GROUPS),
    "bench", "bird", "elephant", "zebra", "giraffe", "snowboard", "kite", "skateboard", "surfboard", "fork",
    "spoon", "banana", "apple", "broccoli", "carrot", "pizza", "bed", "toaster", "scissors",
)  # fmt: skip


@pytest.mark.parametrize("label", ["person", "Motorbike", "dining_table", "tvmonitor"])
def test_every_spelling_is_known(label: str) -> None:
    assert unknown_label([label], KNOWN, "yolo") == ""


@pytest.mark.parametrize(
    ("label", "hint"),
    [
        ("motorcicle", "did you mean motorcycle?"),
        ("motorbik", "did you mean motorcycle?"),
        ("tvmonitr", "did you mean tv?"),
        ("sofas", "see the topic perception/info"),  # this detector has no couch
    ],
)
def test_a_misspelt_label_gets_a_suggestion(label: str, hint: str) -> None:
    assert hint in unknown_label(["person", label], KNOWN, "yolo")


@pytest.mark.parametrize(
    ("label", "labels"),
    [
        ("people", ["person"]), ("persons", ["person"]), ("man", ["person"]), ("television", ["tv"]),
        ("phone", ["cell phone"]), ("Smartphone", ["cell phone"]), ("telephone", ["cell phone"]),
        ("mobile", ["cell phone"]), ("cellphone", ["cell phone"]), ("cell-phone", ["cell phone"]),
        ("fridge", ["refrigerator"]), ("plant", ["potted plant"]), ("plane", ["airplane"]),
        ("bike", ["bicycle", "motorcycle"]), ("mug", ["cup"]), ("mugs", ["cup"]), ("table", ["dining table"]),
        ("tables", ["dining table"]), ("settee", ["couch"]), ("wine glasses", ["wine glass"]),
        ("buses", ["bus"]), ("knives", ["knife"]), ("mice", ["mouse"]), ("teddy bears", ["teddy bear"]),
        ("hairdryer", ["hair drier"]), ("doughnuts", ["donut"]), ("racquet", ["tennis racket"]),
        ("puppies", ["dog"]), ("botle", ["bottle"]),
        ("persno", ["person"]), ("refridgerator", ["refrigerator"]),
        ("bycicle", ["bicycle"]), ("umbrela", ["umbrella"]), ("ski", ["skis"]), ("scissor", ["scissors"]),
        # None rather than nonsense: these are other words, not slips.
        ("house", []), ("boot", []), ("beer", []), ("door", []), ("wrench", []), ("battery", []), ("", []),
        ("face", []), ("tree", []), ("wheel", []), ("x" * 10_000, []),
    ],
)  # fmt: skip
def test_suggestions_prefer_the_meaning(label: str, labels: list[str]) -> None:
    assert meant(label, COCO) == labels


def test_suggestions_work_in_both_directions() -> None:
    """Also for a detector whose labels are not COCO's."""
    assert meant("cell phone", ("smartphone", "mug")) == ["smartphone"]
    assert meant("person", ("man", "woman")) == ["man", "woman"]
    assert meant("people", ("car",)) == []


@given(st.text(max_size=30) | st.sampled_from([w for group in GROUPS for w in group]), st.data())
def test_a_suggestion_is_one_of_the_detectors_labels(word: str, data) -> None:
    known = tuple(data.draw(st.lists(st.sampled_from(COCO), unique=True)))
    hints = meant(word, known)
    assert set(hints) <= set(known)
    assert len(hints) <= 3


def edits(a: str, b: str) -> int:
    """Levenshtein's distance by its definition."""
    if not a or not b:
        return len(a) + len(b)
    table = [[i + j if not i * j else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            table[i][j] = min(
                table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (a[i - 1] != b[j - 1])
            )
    return table[-1][-1]


@given(st.text(string.ascii_lowercase, min_size=1, max_size=15))
def test_words_unlike_any_label_get_no_suggestion(word: str) -> None:
    spoken = [w for group in GROUPS for w in group] + list(COCO) + ["tvmonitor", "pottedplant", "diningtable"]
    if min(edits(word, other.replace(" ", "")) for other in spoken) > 4:
        assert meant(word, COCO) == []


@pytest.mark.parametrize("label", ["person,cup", "person, cup", " person , cup ,"])
def test_labels_are_split_at_commas(label: str) -> None:
    assert one_by_one([label]) == ["person", "cup"]
    said = unknown_label([label], COCO, "yolo")
    assert "holds a comma" in said
    assert "['person', 'cup']" in said


def test_a_label_of_the_detector_may_contain_a_comma() -> None:
    assert unknown_label(["notebook, notebook computer"], ("notebook, notebook computer",), "yolo") == ""
    assert one_by_one([" person ", "dog"]) == ["person", "dog"]


def test_the_synonyms_cover_the_shipped_labels(fetched) -> None:
    """Every group begins with a label of COCO; a misspelt one would never be suggested."""
    import onnxruntime

    path = fetched("models/yolov3-tiny.onnx")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    labels = json.loads(session.get_modelmeta().custom_metadata_map["labels"])
    assert {group[0] for group in GROUPS} <= set(labels)
    assert set(COCO) == set(labels)


def test_a_detector_whose_labels_nobody_knows_may_know_any() -> None:
    assert unknown_label(["gizmo"], (), "/yolo/detections") == ""
