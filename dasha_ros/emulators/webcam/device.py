"""The emulated webcam: plug it, pull it, change its ways."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from dasha_ros.emulators.webcam.controls import ControlStates, WebcamKnobs
from dasha_ros.emulators.webcam.pictures import Painter, PictureSize
from dasha_ros.emulators.webcam.requests import ControlRequests
from dasha_ros.emulators.webcam.stream import Stream
from dasha_ros.emulators.webcam.usbip import HEADER_BYTES, Submit, Unlink, WireError, parse, submitted
from dasha_ros.emulators.webcam.vhci import plug

_MOST_BYTES = 1 << 16
"""No host sends a camera more at once."""


class WebcamEmulator:
    """A UVC webcam behind USB/IP. Use it as a context, which plugs it in.

    Args:
        size: Size and rate of its pictures.
        paint: Paints a frame.
        knobs: How it behaves; may be changed while it runs.
        has_focus: Whether it has a focus motor.
        serial_number: What it says of itself.
        plug_in: Gives one end of a connection to a host.
    """

    def __init__(
        self,
        size: PictureSize,
        paint: Painter,
        knobs: WebcamKnobs | None = None,
        *,
        has_focus: bool = True,
        serial_number: str = "E1",
        plug_in: Callable[[socket.socket], object] = plug,
    ) -> None:
        self.knobs = knobs or WebcamKnobs()
        self._size, self._paint, self._has_focus = size, paint, has_focus
        self._serial_number, self._plug_in = serial_number, plug_in
        self._connection: _Connection | None = None

    def __enter__(self) -> WebcamEmulator:
        """Plug it in."""
        self.plug()
        return self

    def __exit__(self, *_: object) -> None:
        """Pull it."""
        self.unplug()

    @property
    def plugged(self) -> bool:
        """Whether it is plugged in."""
        return self._connection is not None

    @property
    def states(self) -> ControlStates | None:
        """Its controls; ``None`` while it is unplugged."""
        return self._connection.states if self._connection else None

    @property
    def frames(self) -> int:
        """Frames that were sent since it was plugged in."""
        return self._connection.stream.frames if self._connection else 0

    def plug(self) -> None:
        """Plug it in, with every control at its default; does nothing if it is plugged in.

        Raises:
            KernelError: The host does not take it.
        """
        if self._connection is not None:
            return
        ours, kernels = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        states = ControlStates(self.knobs, has_focus=self._has_focus)
        connection = _Connection(ours, states, self._size, self._paint, self._serial_number)
        try:
            self._plug_in(kernels)
        except OSError:
            connection.close()
            raise
        finally:
            kernels.close()
        self._connection = connection

    def unplug(self) -> None:
        """Pull it; does nothing if it is not plugged in."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class _Connection:
    """Serves one host until one of the two ends it."""

    def __init__(
        self, ours: socket.socket, states: ControlStates, size: PictureSize, paint: Painter, serial: str
    ) -> None:
        self.states = states
        self._socket = ours
        self._sending = threading.Lock()
        self._requests = ControlRequests(states, size, serial)
        self.stream = Stream(states, size, paint, lambda: self._requests.format, self._send)
        self._thread = threading.Thread(target=self._serve, name="emulated webcam's port", daemon=True)
        self._thread.start()

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self.stream.close()
        self._socket.close()

    def _serve(self) -> None:
        # A host that is gone, or that speaks something else, ends the connection.
        with suppress(OSError, EOFError, WireError):
            while True:
                request = parse(self._read(HEADER_BYTES))
                if isinstance(request, Unlink):
                    self.stream.take_back(request)
                elif request.endpoint == 0:
                    self._answer(request)
                elif request.is_in:
                    self.stream.ask(request)
                else:
                    self._read(request.length)
                    self._send(submitted(request, None))
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _answer(self, request: Submit) -> None:
        if not request.is_in and request.length > _MOST_BYTES:
            raise WireError(f"a control request of {request.length} bytes")
        data = b"" if request.is_in else self._read(request.length)
        self._send(submitted(request, self._requests.answer(request.setup, data)))

    def _read(self, count: int) -> bytes:
        parts: list[bytes] = []
        while count:
            part = self._socket.recv(count)
            if not part:
                raise EOFError
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _send(self, message: bytes) -> None:
        with self._sending, suppress(OSError):
            self._socket.sendall(message)
