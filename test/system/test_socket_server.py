"""Sockets of this machine: paths that the system does not take."""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from dasha_ros.system.socket_server import SocketServer, socket_address


class Deaf(SocketServer):
    """Serves nothing."""

    named = "test"

    def attend(self, client: Connection) -> None:
        return


def of_length(folder: Path, bytes_: int) -> Path:
    name = "x" * (bytes_ - len(str(folder)) - 1)
    assert 0 < len(name) < 200
    return folder / name


def test_the_longest_path_that_is_accepted_can_be_served(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = Path("/tmp") / tmp_path_factory.getbasetemp().name
    folder.mkdir(exist_ok=True)
    path = of_length(folder, 107)
    with Deaf(path):
        assert path.is_socket()
    assert not path.exists()
    folder.rmdir()


def test_a_path_that_is_too_long_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = of_length(tmp_path, 150)
    with pytest.raises(OSError, match=r"has 150 bytes, and the system takes at most 107.*XDG_RUNTIME_DIR"):
        Deaf(path).start()
    with pytest.raises(OSError, match=r"choose a shorter one"):
        socket_address(path)
    assert not path.exists()
