"""Pages of `dasha watch` that read everything and show nothing."""

from __future__ import annotations

import base64
import os
import selectors
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack

_READY_S = 30.0
_CHUNK = 1 << 16
_HANDSHAKE = (
    "GET /ws HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: {key}\r\n\r\n"
)


class Pages:
    """Connections to a page's server. A thread throws away what they receive, as cheaply as a socket can.

    Real pages are drawn by browsers, which usually run on other machines.
    """

    def __init__(self, port: int, count: int) -> None:
        """Open ``count`` pages of the server on ``port``.

        Raises:
            OSError: The server does not answer.
        """
        self.received = 0
        """Bytes received by all pages together."""
        self._selector = selectors.DefaultSelector()
        self._over, self._heard = threading.Event(), threading.Condition()
        host = f"127.0.0.1:{port}"
        with ExitStack() as opened:
            for _ in range(count):
                page = opened.enter_context(socket.create_connection(("127.0.0.1", port), _READY_S))
                key = base64.b64encode(os.urandom(16)).decode()
                page.sendall(_HANDSHAKE.format(host=host, key=key).encode())
                if b" 101 " not in page.recv(_CHUNK):
                    raise ConnectionError("the page's server refuses the connection")
                page.setblocking(False)
                self._selector.register(page, selectors.EVENT_READ)
            self._pages = opened.pop_all()
        self._thread = threading.Thread(target=self._read, name="pages", daemon=True)
        self._thread.start()

    def has_received(self, count: int, timeout_s: float) -> bool:
        """Wait until all pages together received so many bytes; `False` if they do not in time."""
        with self._heard:
            return self._heard.wait_for(lambda: self.received >= count, timeout_s)

    def close(self) -> None:
        """Close all pages."""
        self._over.set()
        self._thread.join()
        self._pages.close()
        self._selector.close()

    def _read(self) -> None:
        while not self._over.is_set():
            for key, _ in self._selector.select(0.2):
                page = key.fileobj
                assert isinstance(page, socket.socket)
                content = page.recv(_CHUNK)
                with self._heard:
                    self.received += len(content)
                    self._heard.notify_all()
                if not content:
                    self._selector.unregister(page)


class WatchCommand:
    """``dasha watch`` in a process of its own, on a free port."""

    def __init__(self, namespace: str) -> None:
        """Start it and wait until browsers can connect.

        Raises:
            OSError: It does not start.
        """
        self._process = subprocess.Popen(
            [sys.executable, "-m", "dasha_ros.cli", "watch", "--port", "0", "--namespace", namespace],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("open "):
            self.close()
            raise ConnectionError(f"`dasha watch` did not start: {line.strip()!r}")
        self.port = int(line.rstrip("/\n").rpartition(":")[2])

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(_READY_S)
