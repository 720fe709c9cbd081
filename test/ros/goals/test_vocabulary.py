"""The words of a goal reach a detector that takes words, or the goal is told why not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from rclpy.task import Future

from dasha_ros import msg
from dasha_ros.perception.labels import LONGEST, MOST_WORDS, canonical, unknown_label, vocabulary_with
from dasha_ros.ros.goals import vocabulary as module
from dasha_ros.ros.goals.vocabulary import Vocabulary
from dasha_ros.ros.node.waiter import Waiter

WORDS = st.lists(st.text(alphabet="ab M_", min_size=1, max_size=8).filter(canonical), max_size=6)


class Perception:
    """Stands in for the node perception and for the client of its parameters."""

    def __init__(self, *, is_open: bool = True, refuses: str = "", forgets: bool = False) -> None:
        self.info = msg.PerceptionInfo(detector="world", labels=["mug"], open_vocabulary=is_open)
        self.refuses, self.forgets = refuses, forgets
        self.is_there, self.answers = True, True
        self.told: list[list[str]] = []
        self.waiter = Waiter()
        self.vocabulary = Vocabulary(self, self.waiter)  # type: ignore[arg-type]

    def create_client(self, kind: Any, name: str, callback_group: Any) -> Any:
        assert name == "perception/set_parameters_atomically"
        return self

    def destroy_client(self, client: Any) -> None:
        self.is_there = False

    def service_is_ready(self) -> bool:
        return self.is_there

    def remove_pending_request(self, future: Any) -> None:
        pass

    def call_async(self, request: Any) -> Future:
        (parameter,) = request.parameters
        assert parameter.name == "detector_classes"
        words = list(parameter.value.string_array_value)
        self.told.append(words)
        future = Future()
        if self.answers:
            result = SimpleNamespace(successful=not self.refuses, reason=self.refuses)
            future.set_result(SimpleNamespace(result=result))
            if not (self.refuses or self.forgets):
                self.info = msg.PerceptionInfo(detector="world", labels=words, open_vocabulary=True)
        return future

    def trouble(self, *labels: str) -> str:
        return self.vocabulary.trouble(labels, lambda: self.info)


@pytest.fixture(autouse=True)
def nobody_waits_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_READS_S", 0.05)
    monkeypatch.setattr(module, "_TOLD_S", 0.05)


def test_new_words_are_added_to_those_that_are_known() -> None:
    perception = Perception()
    assert perception.trouble("a red mug", "Motorbike") == ""
    assert perception.told == [["mug", "a red mug", "motorcycle"]]


def test_a_detector_of_its_own_classes_is_told_nothing() -> None:
    perception = Perception(is_open=False)
    assert "does not know the label 'door'" in perception.trouble("door")
    assert perception.told == []


@pytest.mark.parametrize("label", ["a mug, a door", "x" * (LONGEST + 1)])
def test_what_is_no_label_is_not_read(label: str) -> None:
    perception = Perception()
    assert "label" in perception.trouble(label)
    assert perception.told == []


def test_words_that_cannot_be_read_are_refused_with_the_networks_reason() -> None:
    assert Perception(refuses="can't read the words door").trouble("door") == "can't read the words door"


def test_a_perception_that_does_not_answer_is_named() -> None:
    perception = Perception()
    perception.answers = False
    assert "world has not read the words of the goal" in perception.trouble("door")
    perception.vocabulary.close()
    assert "perception does not offer" in perception.trouble("door")


def test_an_answer_that_changes_nothing_is_no_success() -> None:
    assert "does not know the label 'door'" in Perception(forgets=True).trouble("door")


@given(labels=WORDS, known=WORDS)
def test_a_vocabulary_holds_the_goals_words_and_the_newest_of_the_others(
    labels: list[str], known: list[str]
) -> None:
    names = list(dict.fromkeys(map(canonical, known)))
    found = vocabulary_with(labels, names)
    assert len(found) == len(set(found))
    assert set(found) == {canonical(label) for label in labels} | set(names)
    assert unknown_label(labels, found or ["other"], "d") == "" or not found


def test_the_oldest_words_are_given_up() -> None:
    known = [f"word {i}" for i in range(MOST_WORDS)]
    found = vocabulary_with(["word 3", "door"], known)
    assert len(found) == MOST_WORDS
    assert found[-2:] == ["word 3", "door"]
    assert found[0] == "word 1"
