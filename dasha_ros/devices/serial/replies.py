"""What can go wrong with one request and its reply. A `Dialogue` asks again; nobody else sees these."""

from __future__ import annotations


class ProtocolError(Exception):
    """A reply that does not answer the request. Asking again is safe: every request is idempotent."""

    kind = "garbled"
    """By which name it is counted."""


class ReplyIncomplete(ProtocolError):
    """The reply did not arrive completely in time."""

    kind = "incomplete"

    def __init__(self, reply: bytes, expected: int) -> None:
        super().__init__(f"{len(reply)} of {expected} bytes came in time: {hexadecimal(reply)}")
        self.silent = not reply


class ReplyGarbled(ProtocolError):
    """The bytes are not a reply to this request: wrong head or wrong checksum."""


class RequestRefused(ProtocolError):
    """The device says no: the request arrived garbled, or it is unknown."""

    kind = "refused"


class NotInForce(ProtocolError):
    """The device took a command, but does something else."""

    kind = "not in force"


def hexadecimal(data: bytes) -> str:
    """Bytes for people."""
    return data.hex(" ") or "nothing"
