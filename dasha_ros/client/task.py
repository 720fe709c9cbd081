"""A running goal, as a future."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from dasha_ros.client.outcome import FocusError, FocusResult, error_of, result_of
from dasha_ros.system.callbacks import call_user

if TYPE_CHECKING:
    from dasha_ros.ros.goals.focus_client import Ending, Order

_logger = logging.getLogger("dasha_ros.client")


class FocusTask:
    """A running goal: wait for it in a thread, await it, or cancel it."""

    def __init__(
        self, wake: Callable[[], None], on_end: Callable[[], None], check_may_wait: Callable[[], None]
    ) -> None:
        """Made by `FocusClient.start`."""
        self._wake, self._on_end, self._check_may_wait = wake, on_end, check_may_wait
        self.order: Order | None = None
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[FocusTask], None]] = []
        self._result: FocusResult | None = None
        self._error: FocusError | None = None

    def done(self) -> bool:
        """Whether the goal has ended."""
        return self._over.is_set()

    def cancel(self) -> None:
        """End the goal early, from any thread: the server restores lens and exposure.

        The goal then ends with the code ``CANCELED``, or an error, within the client's restore timeout.
        """
        if self.order is not None:
            self.order.cancelled = True
            self._wake()

    def abandon(self) -> None:
        """Cancel the goal without waiting for its end, from any thread."""
        if self.order is not None:
            self.order.abandoned = True
            self.cancel()

    def wait_for_end(self) -> None:
        """Block until the goal has ended in any way.

        Raises:
            RuntimeError: A callback of the client asks, and the goal goes on.
        """
        if not self.done():
            self._check_may_wait()
        self._over.wait()

    def wait(self, timeout: float | None = None) -> FocusResult:
        """Block until the goal has ended, and return its result.

        Args:
            timeout: How long to wait [s]; the goal goes on afterwards.

        Raises:
            TimeoutError: The goal has not ended.
            FocusError: The goal has no result; see the subclasses.
            RuntimeError: A callback of the client asks, and the goal goes on.
        """
        if not self.done():
            self._check_may_wait()
        # Python can't wait for longer than some centuries.
        if not self._over.wait(None if timeout is None else min(timeout, threading.TIMEOUT_MAX)):
            raise TimeoutError(f"the goal has not ended within {timeout} s")
        return self._outcome()

    def add_done_callback(self, callback: Callable[[FocusTask], None]) -> None:
        """Call a function when the goal has ended, in the client's thread; at once if it already has.

        An error of the function is logged. It must not wait for the client: see `wait`.
        """
        with self._lock:
            if not self.done():
                self._callbacks.append(callback)
                return
        self._call(callback)

    def __await__(self) -> Generator[Any, None, FocusResult]:
        """Wait in a coroutine of asyncio or of a node's executor."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            while not self.done():
                yield
            return self._outcome()
        news = loop.create_future()
        self.add_done_callback(lambda _: _tell(loop, news))
        while not self.done():
            # Only the first step: an executor that asyncio itself runs resumes before the future is set.
            yield next(iter(news.__await__()))
        return self._outcome()

    def _outcome(self) -> FocusResult:
        if self._error is not None:
            raise self._error
        assert self._result is not None
        return self._result

    def end(self, ending: Ending, namespace: str, restore_s: float) -> None:
        """Set how the goal ended; the client calls this."""
        try:
            self._result = None if ending.result is None else result_of(ending.result)
            self._error = error_of(ending, self._result, namespace, restore_s)
        except Exception as error:  # From a server of another version; whoever waits must hear of it.
            self._error = FocusError(f"the focus server's answer can't be read: {error!r}")
        with self._lock:
            self._over.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            self._call(callback)
        self._on_end()

    def _call(self, callback: Callable[[FocusTask], None]) -> None:
        call_user(_logger.error, "a done callback of a goal", callback, self)


def _tell(loop: asyncio.AbstractEventLoop, news: asyncio.Future[None]) -> None:
    def tell() -> None:
        if not news.done():
            news.set_result(None)

    if not loop.is_closed():
        loop.call_soon_threadsafe(tell)
