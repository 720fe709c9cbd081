"""A patient subscriber: messages wait until a step ends, and no queue runs over meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.ros.recording.gaps import Gaps
from dasha_ros.ros.transport.patient_subscriber import LEAST_S, MOST_S, next_patience

PATIENCE_S = 90.0


@given(st.floats(1.0, 200.0), st.floats(0.0, 1.0))
def test_no_camera_without_a_bell_overruns_a_queue_of_ten(rate_hz: float, phase: float) -> None:
    """Pictures are counted one by one, at the times at which the camera sends them."""
    patience_s, now_s, sent = LEAST_S, 0.0, phase / rate_hz
    for _ in range(60):
        now_s, waited = now_s + patience_s, 0
        while sent <= now_s:
            waited, sent = waited + 1, sent + 1.0 / rate_hz
        assert waited <= 10
        patience_s = next_patience(patience_s, waited)
        assert LEAST_S <= patience_s <= MOST_S


def test_patience_grows_while_nothing_comes() -> None:
    patience_s, waits = LEAST_S, 0
    while patience_s < MOST_S:
        patience_s, waits = next_patience(patience_s, 0), waits + 1
    assert waits < 6
    assert next_patience(MOST_S, 2) == MOST_S
    assert next_patience(MOST_S, 3) == LEAST_S


@given(st.sets(st.integers(1, 500), min_size=1))
def test_gaps_are_the_numbers_between_the_first_and_the_last_that_did_not_come(heard: set[int]) -> None:
    gaps = Gaps()
    found = [gaps.after(number) for number in sorted(heard)][-1]
    assert found == len(set(range(min(heard), max(heard) + 1)) - heard)


def test_a_publisher_that_starts_over_leaves_no_gap() -> None:
    gaps = Gaps()
    assert [gaps.after(number) for number in (7, 8, 1, 2, 4, 0, 0, 9, 3_000_000, 3_000_002)][-1] == 2


@pytest.mark.graph
def test_messages_wait_for_the_bell_and_close_takes_the_last(
    probe: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from std_msgs.msg import String

    from dasha_ros.ros.transport import patient_subscriber as patient
    from dasha_ros.ros.transport.qos import REWARD

    # Nothing but the bell may wake it here.
    monkeypatch.setattr(patient, "LEAST_S", 2.0 * PATIENCE_S)
    monkeypatch.setattr(patient, "next_patience", lambda patience_s, waited: 2.0 * PATIENCE_S)
    rests: list[tuple[float, int]] = []
    """Each rest, and how much was heard before it."""
    monkeypatch.setattr(patient, "sleep", lambda rest_s: rests.append((rest_s, len(heard))))
    node = probe.node
    subscriber = patient.PatientSubscriber(node, "/dasha/bell")
    heard: list[tuple[str, Mapping[str, int]]] = []
    rung = threading.Event()

    def hear(data: bytes, facts: Mapping[str, int]) -> None:
        heard.append((data[8:-1].decode(), facts))

    def ring(data: bytes, facts: Mapping[str, int]) -> None:
        hear(data, facts)
        rung.set()

    subscriber.listen_raw(String, "/dasha/word", hear, REWARD)
    subscriber.listen_raw(String, "/dasha/bell", ring, REWARD)
    words = node.create_publisher(String, "/dasha/word", REWARD)
    bell = node.create_publisher(String, "/dasha/bell", REWARD)
    for publisher in (words, bell):
        probe.until(lambda p=publisher: p.get_subscription_count() == 1, "the subscriber")
    bell.publish(String(data="bell"))
    assert rung.wait(PATIENCE_S), "it may have been busy with the new topics until now"
    rung.clear()
    for text in ("a", "b"):
        words.publish(String(data=text))
    assert not rung.wait(0.2)
    assert [text for text, _ in heard] == ["bell"]
    sent_ns = time.time_ns()
    bell.publish(String(data="bell"))
    assert rung.wait(PATIENCE_S)
    words.publish(String(data="last"))
    subscriber.close()
    assert not [s for s in node.subscriptions if s.topic_name in {"/dasha/bell", "/dasha/word"}]
    assert [text for text, _ in heard] == ["bell", "a", "b", "bell", "last"]
    # Lens and camera get the next command before it takes anything. New topics may have woken it for the
    # first bell.
    assert rests[-1] == (patient.NEXT_COMMAND_S, 1)
    # They tell when they came, not when they were taken.
    assert all(facts["received_timestamp"] < sent_ns for text, facts in heard if text in "ab")
    assert [facts["publication_sequence_number"] for text, facts in heard if text != "bell"] == [1, 2, 3]
