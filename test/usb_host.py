"""A USB host for the emulated webcam, written from the specifications alone: USB/IP, USB 2.0, UVC 1.1."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from itertools import count

STALLED = -32


@dataclass(frozen=True)
class Answer:
    """A RET_SUBMIT or RET_UNLINK."""

    command: int
    number: int
    status: int
    length: int
    data: bytes


class UsbHost:
    """The kernel's end of a connection."""

    def __init__(self) -> None:
        self.socket: socket.socket | None = None
        self._numbers = count(1)

    def plug_in(self, end: socket.socket) -> None:
        """Take a device; the emulator closes its own copy of the socket."""
        self.socket = end.dup()
        self.socket.settimeout(30.0)

    def submit(
        self, endpoint: int, *, to_host: bool, length: int, setup: bytes = bytes(8), data: bytes = b""
    ) -> int:
        """CMD_SUBMIT; returns its number."""
        number = next(self._numbers)
        header = struct.pack(">IIIII", 1, number, 65537, int(to_host), endpoint)
        self.send(header + struct.pack(">IIIII", 0, length, 0, 0, 0) + setup + data)
        return number

    def unlink(self, number: int) -> int:
        """CMD_UNLINK; returns its number."""
        mine = next(self._numbers)
        self.send(struct.pack(">IIIIII", 2, mine, 65537, 0, 0, number) + bytes(24))
        return mine

    def send(self, content: bytes) -> None:
        assert self.socket is not None
        self.socket.sendall(content)

    def receive(self, *, sends_data: bool = True) -> Answer:
        """The next answer; ``sends_data``: whether data follow it."""
        header = self._read(48)
        command, number, _, _, _, status, length = struct.unpack(">IIIIIiI", header[:28])
        if command == 4:
            return Answer(command, number, status, 0, b"")
        return Answer(command, number, status, length, self._read(length) if sends_data else b"")

    def control(
        self, kind: int, request: int, value: int, index: int, length: int, data: bytes = b""
    ) -> bytes | None:
        """A control request; returns what the device sends, ``None``: it refuses."""
        to_host = bool(kind & 0x80)
        setup = struct.pack("<BBHHH", kind, request, value, index, length if to_host else len(data))
        number = self.submit(
            0, to_host=to_host, length=length if to_host else len(data), setup=setup, data=data
        )
        answer = self.receive(sends_data=to_host)
        assert (answer.command, answer.number) == (3, number)
        assert answer.status in (0, STALLED)
        return answer.data if answer.status == 0 else None

    def get(self, request: int, selector: int, entity: int, length: int, interface: int = 0) -> bytes | None:
        """A class request of UVC that reads."""
        return self.control(0xA1, request, selector << 8, entity << 8 | interface, length)

    def set(self, selector: int, entity: int, data: bytes, interface: int = 0) -> bytes | None:
        """SET_CUR of UVC."""
        return self.control(0x21, 0x01, selector << 8, entity << 8 | interface, len(data), data)

    def picture(self, request_bytes: int, most: int) -> tuple[bytes, int]:
        """One payload of the stream, read in requests of a size: the picture, and the header's flags."""
        content = b""
        while True:
            self.submit(1, to_host=True, length=request_bytes)
            answer = self.receive()
            content += answer.data
            if answer.length < request_bytes or len(content) >= most:
                break
        assert content[0] == 12
        return content[12:], content[1]

    def is_gone(self) -> bool:
        """Whether the device ended the connection."""
        assert self.socket is not None
        return self.socket.recv(1) == b""

    def _read(self, length: int) -> bytes:
        assert self.socket is not None
        content = b""
        while len(content) < length:
            part = self.socket.recv(length - len(content))
            if not part:
                raise EOFError
            content += part
        return content


def descriptors(content: bytes) -> list[bytes]:
    """A configuration cut into its descriptors, each by its own length."""
    parts = []
    while content:
        assert content[0] >= 2
        assert content[0] <= len(content)
        parts.append(content[: content[0]])
        content = content[content[0] :]
    return parts
