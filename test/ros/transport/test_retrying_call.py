"""Service calls whose answers are lost, as rmw_fastrtps loses them."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from rclpy.task import Future

from dasha_ros.ros.transport.retrying_call import AGAIN_S, RetryingCall


class Service:
    """A client whose server loses chosen answers."""

    def __init__(self) -> None:
        self.ready = True
        self.pending: list[Future] = []
        self.asked: list[Any] = []

    def service_is_ready(self) -> bool:
        return self.ready

    def call_async(self, request: Any) -> Future:
        self.asked.append(request)
        self.pending.append(Future())
        return self.pending[-1]

    def remove_pending_request(self, future: Future) -> None:
        self.pending.remove(future)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def now() -> list[float]:
    return [100.0]


@pytest.fixture
def question(service: Service, now: list[float]) -> RetryingCall:
    return RetryingCall(service, "how many?", clock=lambda: now[0])


def test_a_request_is_sent_once_before_the_time_is_up(service, question, now) -> None:
    now[0] += AGAIN_S * 0.9
    assert question.answer() is None
    service.pending[0].set_result(42)
    assert question.answer() == 42
    assert service.asked == ["how many?"]


def test_an_unanswered_request_is_sent_again(service, question, now) -> None:
    now[0] += AGAIN_S
    assert question.answer() is None
    assert service.asked == ["how many?"] * 2
    assert question.answer() is None
    assert len(service.asked) == 2  # not at every look
    service.pending[1].set_result(42)
    assert question.answer() == 42


def test_a_late_answer_to_the_first_request_counts(service, question, now) -> None:
    now[0] += AGAIN_S
    question.answer()
    service.pending[0].set_result(1)
    service.pending[1].set_result(2)
    assert question.answer() == 1


def test_no_request_is_sent_to_an_absent_server(service, question, now) -> None:
    service.ready = False
    now[0] += 10 * AGAIN_S
    assert question.answer() is None
    assert len(service.asked) == 1
    service.ready = True
    question.answer()
    assert len(service.asked) == 2


def test_after_close_no_answer_is_awaited(service, question, now) -> None:
    now[0] += AGAIN_S
    question.answer()
    question.close()
    assert service.pending == []


def test_an_answer_that_can_not_be_read_is_an_error(service, question) -> None:
    service.pending[0].set_exception(ValueError("no text"))
    with pytest.raises(ValueError, match="no text"):
        question.answer()
