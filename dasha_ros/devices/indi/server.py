"""A connection to an INDI server: a thread that listens, and calls that ask and wait.

Source: E. C. Downey, *INDI: Instrument-Neutral Distributed Interface*, protocol version 1.7. A device has
vectors of members, each vector has a state (Idle, Ok, Busy, Alert), and a server tells of every change.
`indipyclient` speaks the protocol. What it leaves to its users is here: time limits, and noticing that a
server is gone.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as FuturesTimeout
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from dasha_ros.devices.errors import DeviceLost, DeviceTimeout

T = TypeVar("T")
DEFAULT_PORT = 7624
HEARTBEAT_S = 0.2
"""While it waits, the connection is used this often: only who writes learns that nobody reads."""
_JOIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Vector:
    """What a server said of one vector, newest word."""

    state: str
    """``Idle``, ``Ok``, ``Busy`` or ``Alert``."""
    values: Mapping[str, str]
    """By member."""
    limits: Mapping[str, tuple[float, float]]
    """Least and greatest value of numbers, by member."""
    heard: int
    """Number of the event that told of it; see `IndiServer.events`."""

    def number(self, member: str) -> float:
        """The value of a number; NaN if there is none or it is no plain number."""
        try:
            return float(self.values.get(member, "nan"))
        except ValueError:
            return float("nan")


class IndiServer:
    """One connection. Calls come from one thread; the connection's own thread is not seen.

    Args:
        host: Name or address of the server's machine.
        port: Its port.
        timeout_s: How long an answer may take [s].
    """

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self.address = f"{host}:{port}"
        self._host, self._port, self._timeout_s = host, port, timeout_s
        self._changed = threading.Condition()
        self._vectors: dict[tuple[str, str], Vector] = {}
        self._said: dict[str, str] = {}
        self._lost = True
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._client: Any = None
        self.events = 0
        """Number of events heard."""

    def open(self) -> None:
        """Connect.

        Raises:
            DeviceLost: Nobody serves there.
        """
        self.close()
        try:
            # The client would try again for ever, and not say why.
            socket.create_connection((self._host, self._port), self._timeout_s).close()
        except (OSError, UnicodeError) as error:  # A name that no host can have is a UnicodeError.
            raise DeviceLost(
                f"no INDI server answers at {self.address} ({error}): start one, such as"
                " `indiserver indi_simulator_focus`, or change `indi_server`"
            ) from error
        self._vectors.clear()
        self._said.clear()
        self._lost = False
        self._thread = threading.Thread(target=self._run, name="INDI", daemon=True)
        self._thread.start()
        self.wait(lambda: self._client is not None and self._client.connected, "a connection")
        self._do(lambda client: client.send_getProperties())  # the client itself takes its time

    def close(self) -> None:
        """Disconnect. Never raises; closing twice is fine."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        if self._loop is not None and self._task is not None:
            with suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._task.cancel)
        thread.join(_JOIN_S)
        self._loop = self._task = self._client = None
        self._lost = True

    def devices(self) -> list[str]:
        """Names of the devices that the server has told of."""
        with self._changed:
            return sorted({device for device, _ in self._vectors})

    def vector(self, device: str, name: str) -> Vector | None:
        """The newest word of a vector; ``None``: the device has none of this name, or not yet."""
        with self._changed:
            return self._vectors.get((device, name))

    def said(self, device: str) -> str:
        """What the device's driver said last, for people; empty: nothing."""
        with self._changed:
            return self._said.get(device, "")

    def send(self, device: str, name: str, members: Mapping[str, str]) -> int:
        """Set members of a vector; returns the number of the last event before.

        Raises:
            DeviceLost: The connection is closed or gone.
        """
        before = self.events
        self._do(lambda client: client.send_newVector(device, name, members=dict(members)))
        return before

    def ask(self, device: str, name: str) -> Vector:
        """Ask for a vector anew, and wait for the answer.

        Raises:
            DeviceTimeout: No answer in time.
            DeviceLost: The connection is closed or gone.
        """
        before = self.events
        self._do(lambda client: client.send_getProperties(device, name))
        return self.heard(device, name, before)

    def heard(self, device: str, name: str, after: int) -> Vector:
        """Wait for a word of a vector after an event.

        Raises:
            DeviceTimeout: None came in time.
            DeviceLost: The connection is gone.
        """

        def newer() -> Vector | None:
            vector = self._vectors.get((device, name))
            return vector if vector is not None and vector.heard > after else None

        return self.wait(newer, f"{name} of {device}")

    def wait(self, found: Callable[[], T | None], what: str, timeout_s: float | None = None) -> T:
        """Wait until ``found`` finds something; returns it.

        Args:
            found: Called at every event, in the caller's thread.
            what: What is waited for, for messages.
            timeout_s: How long [s]; left out: as for an answer.

        Raises:
            DeviceTimeout: Time is up.
            DeviceLost: The connection is gone.
        """
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        deadline = time.monotonic() + limit_s
        while True:
            with self._changed:
                if result := found():
                    return result
                self._check()
                left_s = deadline - time.monotonic()
                if left_s <= 0.0:
                    raise DeviceTimeout(f"the INDI server at {self.address} gave no {what} in {limit_s:g} s")
                heard = self._changed.wait(min(HEARTBEAT_S, left_s))
            if not heard and self._client is not None and self._client.connected:
                # Drivers do not answer for a device that they have not got.
                self._do(lambda client: client.send_getProperties("heartbeat"))

    def _check(self) -> None:
        if self._thread is None or self._lost:
            raise DeviceLost(
                f"the INDI server at {self.address} is {'gone' if self._thread else 'not connected'}."
                " Check that it runs and that the network is there."
            )

    def _do(self, call: Callable[[Any], Any]) -> None:
        """Have the connection's thread call the client."""
        self._check()
        loop, client = self._loop, self._client
        assert loop is not None
        try:
            asyncio.run_coroutine_threadsafe(call(client), loop).result(self._timeout_s)
        except (RuntimeError, OSError, CancelledError, asyncio.CancelledError, FuturesTimeout) as error:
            self._lose()
            raise DeviceLost(f"the INDI server at {self.address} is gone ({error})") from error

    def _run(self) -> None:
        """The connection's thread."""
        with suppress(asyncio.CancelledError):
            asyncio.run(self._listen())
        self._lose()

    async def _listen(self) -> None:
        from indipyclient import IPyClient

        # It reports every retry to standard error.
        logging.getLogger("indipyclient").setLevel(logging.CRITICAL)
        hear = self._hear

        class Client(IPyClient):  # type: ignore[misc]  # the library has no types
            async def rxevent(self, event: Any) -> None:
                hear(event)

        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        client = Client(self._host, self._port)
        client.enable_reports = False
        client.set_vector_timeouts(timeout_enable=False)  # the limits are in `wait`
        self._client = client
        await client.asyncrun()

    def _lose(self) -> None:
        with self._changed:
            self._lost = True
            self._changed.notify_all()

    def _hear(self, event: Any) -> None:
        """Remember what an event tells, in the connection's thread."""
        kind, device, name = event.eventtype, event.devicename, event.vectorname
        with self._changed:
            self.events += 1
            if kind == "ConnectionLost":
                self._lost = True
            elif kind == "Message" and device:
                self._said[device] = event.message
            elif kind == "Delete":
                for key in [key for key in self._vectors if key[0] == device and name in (None, key[1])]:
                    del self._vectors[key]
            elif kind in ("Define", "Set"):
                known = self._vectors.get((device, name))
                values = dict(known.values) if known else {}
                self._vectors[device, name] = Vector(
                    state=event.state or (known.state if known else "Idle"),
                    values={**values, **{member: str(value) for member, value in event.items()}},
                    limits=_limits(event.vector) or (known.limits if known else {}),
                    heard=self.events,
                )
            self._changed.notify_all()


def _limits(vector: Any) -> dict[str, tuple[float, float]]:
    """Limits of a vector's numbers; empty if it has none."""
    if vector is None or vector.vectortype != "NumberVector":
        return {}
    limits = {}
    for name, member in vector.members().items():
        with suppress(TypeError, ValueError):
            limits[name] = (float(member.min), float(member.max))
    return limits
