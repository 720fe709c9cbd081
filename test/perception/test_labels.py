"""A label that nobody knows is answered with those that may have been meant, by the names used here."""

from __future__ import annotations

import pytest

from dasha_ros.perception.labels import unknown_label

KNOWN = ("person", "motorcycle", "tv", "dining table")


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
def test_a_near_miss_is_answered_with_what_may_be_meant(label: str, hint: str) -> None:
    assert hint in unknown_label(["person", label], KNOWN, "yolo")
