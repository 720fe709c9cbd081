"""The picture stream of the emulated webcam: frames at its rate, cut into the host's requests."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from dasha_ros.emulators.webcam.controls import ControlStates
from dasha_ros.emulators.webcam.descriptors import HEADER_BYTES
from dasha_ros.emulators.webcam.pictures import Painter, PictureSize, encode
from dasha_ros.emulators.webcam.usbip import Submit, Unlink, submitted, unlinked

_FRAME_ID, _END, _END_OF_HEADER = 0x01, 0x02, 0x80
_PATIENCE_S = 1.0
"""The host asks for the next part within this [s], unless it stopped the stream."""
Send = Callable[[bytes], None]


def payload(picture: bytes, number: int) -> bytes:
    """A picture with the header that UVC puts before it; ``number`` counts the frames."""
    flags = _END_OF_HEADER | _END | (_FRAME_ID if number % 2 else 0)
    return bytes((HEADER_BYTES, flags)) + bytes(HEADER_BYTES - 2) + picture


class Stream:
    """Sends frames while the host asks for them.

    A request is answered under the same lock under which it is taken back: a request that is answered after
    it was taken back makes the host drop the device.
    """

    def __init__(
        self,
        states: ControlStates,
        size: PictureSize,
        paint: Painter,
        format_name: Callable[[], str],
        send: Send,
    ) -> None:
        """Start the thread that sends frames.

        Args:
            states: What each frame shows.
            size: Size and rate.
            paint: Paints a frame.
            format_name: The format that the host chose.
            send: Sends a message to the host.
        """
        self._states, self._size, self._paint = states, size, paint
        self._format_name, self._send = format_name, send
        self._waiting: deque[Submit] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self.frames = 0
        """Frames that were sent whole."""
        self._thread = threading.Thread(target=self._run, name="emulated webcam", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def ask(self, request: Submit) -> None:
        """The host asks for a part of the stream."""
        with self._changed:
            self._waiting.append(request)
            self._changed.notify_all()

    def take_back(self, request: Unlink) -> None:
        """The host takes a request back, of the stream or an earlier one that was answered."""
        with self._changed:
            left = [waiting for waiting in self._waiting if waiting.number != request.target]
            in_time = len(left) < len(self._waiting)
            self._waiting = deque(left)
            self._send(unlinked(request, in_time=in_time))

    def _run(self) -> None:
        next_ns = time.monotonic_ns()
        while self._await_host():
            next_ns = max(next_ns, time.monotonic_ns())
            shown = self._states.begin_frame(next_ns)
            data = payload(encode(self._paint(shown), self._format_name()), self.frames)
            # An exposure that is longer than the time between two frames slows the stream down.
            next_ns += max(round(1e9 / self._size.rate_hz), round(shown.exposure_us * 1e3))
            with self._changed:
                self._changed.wait_for(lambda: self._closed, (next_ns - time.monotonic_ns()) / 1e9)
            if self._send_parts(data):
                self.frames += 1

    def _await_host(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting)
            return not self._closed

    def _send_parts(self, data: bytes) -> bool:
        """Send a payload in as many parts as the host's requests; returns whether all was sent."""
        begin, whole = 0, self._size.most_bytes + HEADER_BYTES
        while True:
            with self._changed:
                if not self._waiting and begin == 0:
                    return False  # the host stopped the stream meanwhile
                self._changed.wait_for(lambda: self._closed or self._waiting, _PATIENCE_S)
                if self._closed or not self._waiting:
                    return False
                request = self._waiting.popleft()
                part = data[begin : begin + request.length]
                self._send(submitted(request, part))
            begin += len(part)
            # A payload ends with a part that is shorter than its request, be it empty, or when it is full.
            if len(part) < request.length or begin >= whole:
                return True
