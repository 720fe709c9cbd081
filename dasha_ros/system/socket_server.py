"""A server at a socket of this machine, for one client at a time."""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import ClassVar

_LONGEST = 107
"""Bytes in the path of a socket that Linux takes: ``sun_path`` of unix(7), without its end."""


class SocketServer(ABC):
    """Takes a path, and attends to whoever connects, in a thread of its own. Use it as a context manager.

    Raises:
        FileExistsError: (On `start`) Another server, or something else, uses the path.
        OSError: (On `start`) The path is too long for a socket.
    """

    named: ClassVar[str]
    """Who serves, for messages: another NAMED serves the path."""
    breaks: ClassVar[tuple[type[Exception], ...]] = ()
    """Errors of a client that end its connection, besides those of the connection itself."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._listener: Listener | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False

    def start(self) -> None:
        """Take the path and serve it."""
        address = socket_address(self.path)
        if _answers(self.path):
            raise FileExistsError(f"another {self.named} serves {self.path}; stop it or choose another path")
        if self.path.exists() and not self.path.is_socket():
            raise FileExistsError(f"{self.path} exists and is no socket; choose another path")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)  # of a server that was killed
        self._stopping = False
        self._listener = Listener(address, "AF_UNIX")
        self._thread = threading.Thread(target=self._serve, name=f"{self.named}'s socket", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving. Stopping twice is fine."""
        if self._listener is None or self._thread is None:
            return
        self._stopping = True
        _answers(self.path)  # wakes the thread that waits for a client
        self._thread.join()
        self._listener.close()
        self._listener = self._thread = None

    def __enter__(self) -> SocketServer:
        """Start it."""
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop it."""
        self.stop()

    @property
    def stopping(self) -> bool:
        """Whether `attend` shall return soon."""
        return self._stopping

    @abstractmethod
    def attend(self, client: Connection) -> None:
        """Answer a client until it hangs up or the server is `stopping`."""

    def _serve(self) -> None:
        assert self._listener is not None
        while not self._stopping:
            with suppress(OSError, EOFError, *self.breaks), self._listener.accept() as client:
                self.attend(client)


def socket_address(path: Path) -> str:
    """The path of a socket as the system takes it.

    Raises:
        OSError: It is too long.
    """
    if (size := len(os.fsencode(path))) > _LONGEST:
        raise OSError(
            f"the path of the socket {path} has {size} bytes, and the system takes at most {_LONGEST}: "
            "choose a shorter one. `dasha up` puts its sockets into XDG_RUNTIME_DIR"
        )
    return str(path)


def _answers(path: Path) -> bool:
    try:
        Client(str(path), "AF_UNIX").close()
    except OSError:
        return False
    return True
