"""A fast subscriber: topics served beside the executor."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

pytestmark = pytest.mark.graph

PATIENCE_S = 90.0


class Letters:
    """Two topics and the subscriber that serves them."""

    def __init__(self, node: Any) -> None:
        from std_msgs.msg import String

        from dasha_ros.ros.transport import qos
        from dasha_ros.ros.transport.fast_subscriber import FastSubscriber

        self.node, self._kind, self._qos = node, String, qos.REWARD
        self.subscriber = FastSubscriber(node)
        self._publishers: dict[str, Any] = {}

    def listen(self, topic: str, callback: Any) -> None:
        self.subscriber.listen(self._kind, topic, callback, self._qos)
        self._publishers[topic] = self.node.create_publisher(self._kind, topic, self._qos)

    def send(self, topic: str, text: str) -> None:
        publisher = self._publishers[topic]
        for _ in range(round(PATIENCE_S / 0.01)):
            if publisher.get_subscription_count():
                break
            threading.Event().wait(0.01)
        publisher.publish(self._kind(data=text))


@pytest.fixture
def letters(probe: Any) -> Iterator[Letters]:
    made = Letters(probe.node)
    yield made
    made.subscriber.close()


def test_messages_come_without_any_executor(letters: Letters) -> None:
    heard: dict[str, str] = {}
    both = threading.Event()

    def hear(topic: str, text: str) -> None:
        heard[topic] = text
        if len(heard) == 2:
            both.set()

    letters.listen("first", lambda m: hear("first", m.data))
    letters.send("first", "a")
    # A topic that comes later, while the subscriber is waiting.
    letters.listen("second", lambda m: hear("second", m.data))
    letters.send("second", "b")
    assert both.wait(PATIENCE_S), heard
    assert heard == {"first": "a", "second": "b"}


def test_an_executor_does_not_serve_the_topics_of_a_fast_subscriber(letters: Letters, probe: Any) -> None:
    threads: list[threading.Thread] = []
    heard = threading.Event()

    def hear(_: Any) -> None:
        threads.append(threading.current_thread())
        heard.set()

    letters.listen("first", hear)
    letters.send("first", "a")
    probe.until(heard.is_set, "the message")
    assert [thread.name for thread in threads] == ["fast_subscriber"]


def test_every_message_of_a_burst_is_taken_in_order(letters: Letters) -> None:
    heard: list[str] = []
    last = threading.Event()

    def hear(message: Any) -> None:
        heard.append(message.data)
        if message.data == "49":
            last.set()

    letters.listen("first", hear)
    for i in range(50):
        letters.send("first", str(i))
    assert last.wait(PATIENCE_S), heard
    assert heard == [str(i) for i in range(50)]


def test_a_callback_that_raises_does_not_end_the_subscriber(letters: Letters) -> None:
    heard = threading.Event()

    def hear(message: Any) -> None:
        if message.data == "bad":
            raise ValueError("cannot read this")
        heard.set()

    letters.listen("first", hear)
    letters.send("first", "bad")
    letters.send("first", "good")
    assert heard.wait(PATIENCE_S)


def test_a_resting_subscriber_hears_nothing_and_catches_up_before_it_wakes(letters: Letters) -> None:
    heard: list[tuple[str, str]] = []
    again = threading.Event()

    def hear(message: Any) -> None:
        heard.append((message.data, threading.current_thread().name))
        if message.data in {"begin", "end"}:
            again.set()

    letters.listen("first", hear)
    letters.listen("other", lambda m: again.set())
    letters.send("first", "begin")
    assert again.wait(PATIENCE_S)
    for turn in range(3):
        letters.subscriber.rest()
        again.clear()
        del heard[:]
        letters.send("first", f"{turn} a")
        letters.send("first", f"{turn} b")
        assert not again.wait(0.1)
        assert heard == []
        letters.subscriber.wake()
        me = threading.current_thread().name
        assert heard == [(f"{turn} a", me), (f"{turn} b", me)]
        letters.send("first", "end")
        assert again.wait(PATIENCE_S)
        assert heard[-1] == ("end", "fast_subscriber")


def test_a_callback_may_put_its_subscriber_to_rest(letters: Letters) -> None:
    heard: list[str] = []
    rested = threading.Event()

    def hear(message: Any) -> None:
        heard.append(message.data)
        letters.subscriber.rest()
        rested.set()

    letters.listen("first", hear)
    letters.send("first", "a")
    assert rested.wait(PATIENCE_S)
    letters.send("first", "b")
    letters.subscriber.wake()
    assert heard == ["a", "b"]


def test_after_closing_nothing_is_heard_and_nothing_runs(letters: Letters) -> None:
    begun, go_on = threading.Event(), threading.Event()
    finished: list[str] = []

    def hear(message: Any) -> None:
        begun.set()
        go_on.wait(PATIENCE_S)
        finished.append(message.data)

    letters.listen("first", hear)
    letters.send("first", "a")
    assert begun.wait(PATIENCE_S)
    closing = threading.Thread(target=letters.subscriber.close)
    closing.start()
    assert closing.is_alive(), "it waits for the callback in hand"
    go_on.set()
    closing.join(PATIENCE_S)
    assert not closing.is_alive()
    assert finished == ["a"]
    assert letters.node.count_subscribers("/dasha/first") == 0


def test_a_callback_may_close_its_subscriber(letters: Letters) -> None:
    closed = threading.Event()

    def hear(_: Any) -> None:
        letters.subscriber.close()
        closed.set()

    letters.listen("first", hear)
    letters.send("first", "a")
    assert closed.wait(PATIENCE_S)
