"""A service call that is repeated until it is answered."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rclpy.client import Client
from rclpy.task import Future

AGAIN_S = 1.0
"""A request without an answer for this long is sent again [s]."""


class RetryingCall:
    """One request to a service and its answer.

    If a server has not discovered the client 100 ms after the request arrived, it drops the reply
    (rmw_fastrtps, ``rmw_send_response``: "client will not receive response"). On a busy machine this
    happens to the first request of a new client, which would then wait forever.
    """

    def __init__(self, client: Client, request: Any, clock: Callable[[], float] = time.monotonic) -> None:
        """Send the request.

        Args:
            client: The service's client.
            request: Must be harmless if it is served twice.
            clock: Returns the time [s].
        """
        self._client, self._request, self._clock = client, request, clock
        self._asked: list[Future] = []
        self._ask()

    def _ask(self) -> None:
        self._asked_at = self._clock()
        self._asked.append(self._client.call_async(self._request))

    def answer(self) -> Any | None:
        """Return the answer or `None`; repeats the request when it is time.

        Raises:
            Exception: The answer could not be read.
        """
        for asked in self._asked:
            if asked.done():
                return asked.result()
        if self._clock() - self._asked_at >= AGAIN_S and self._client.service_is_ready():
            self._ask()
        return None

    def close(self) -> None:
        """Stop waiting for an answer."""
        for asked in self._asked:
            self._client.remove_pending_request(asked)
