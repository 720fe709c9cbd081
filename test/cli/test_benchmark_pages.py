"""Pages that throw away what they get: they count it, and say when it is enough."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from dasha_ros.cli.benchmark.measure.pages import Pages


class Server:
    """Accepts pages, one handshake each, and sends them what the test says."""

    def __init__(self, answer: bytes) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._answer, self.pages = answer, list[socket.socket]()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                page, _ = self._listener.accept()
            except OSError:
                return
            page.recv(4096)
            self.pages.append(page)
            page.sendall(self._answer)

    def close(self) -> None:
        self._listener.close()
        for page in self.pages:
            page.close()


@pytest.fixture
def server() -> Iterator[Server]:
    with closing(Server(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")) as made:
        yield made


def test_bytes_of_all_pages_count(server: Server) -> None:
    with closing(Pages(server.port, 3)) as pages:
        assert not pages.has_received(1, 0.01)
        for page in server.pages:
            page.sendall(bytes(700))
        assert pages.has_received(2100, 10.0)
        assert pages.received == 2100
        assert not pages.has_received(2101, 0.01)


def test_a_server_that_refuses_is_named() -> None:
    with (
        closing(Server(b"HTTP/1.1 403 Forbidden\r\n\r\n")) as server,
        pytest.raises(ConnectionError, match="refuses the connection"),
    ):
        Pages(server.port, 1)
