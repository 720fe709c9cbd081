"""A request to another node that is sent again until it is answered."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rclpy.client import Client
from rclpy.task import Future

AGAIN_S = 1.0
"""A request without an answer for so long is sent again."""


class RetryingCall:
    """One request to a service, and its answer.

    A server that has not discovered the client 100 ms after the request came drops the reply
    (rmw_fastrtps, ``rmw_send_response``: "client will not receive response"). On a busy machine
    that happens to the first request of a new client, which then waits for ever.
    """

    def __init__(self, client: Client, request: Any, clock: Callable[[], float] = time.monotonic) -> None:
        """Ask.

        Args:
            client: Of the service.
            request: It must do no harm when it is obeyed twice.
            clock: Time [s].
        """
        self._client, self._request, self._clock = client, request, clock
        self._asked: list[Future] = []
        self._ask()

    def _ask(self) -> None:
        self._asked_at = self._clock()
        self._asked.append(self._client.call_async(self._request))

    def answer(self) -> Any | None:
        """The answer, or `None` as long as there is none; asks again when it is time.

        Raises:
            Exception: What the server's answer could not be read for.
        """
        for asked in self._asked:
            if asked.done():
                return asked.result()
        if self._clock() - self._asked_at >= AGAIN_S and self._client.service_is_ready():
            self._ask()
        return None

    def close(self) -> None:
        """Wait for no answer any more."""
        for asked in self._asked:
            self._client.remove_pending_request(asked)
