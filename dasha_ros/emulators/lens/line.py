"""A serial line that spoils what passes: lost, late, garbled, cut off, refused, and noise."""

from __future__ import annotations

from dataclasses import dataclass, fields
from random import Random


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFaults:
    """How often a frame is spoilt, each a probability from 0 to 1. All zero: a clean line."""

    drop_request: float = 0.0
    """The request never reaches the board."""
    corrupt_request: float = 0.0
    """One byte of the request changes on the way."""
    drop_reply: float = 0.0
    """The board obeys, its reply is lost."""
    corrupt_reply: float = 0.0
    half_reply: float = 0.0
    """The reply breaks off."""
    late_reply: float = 0.0
    """The reply comes ``late_s`` later."""
    late_s: float = 0.1
    nack: float = 0.0
    """The board refuses a sound request."""
    noise: float = 0.0
    """Bytes that nobody asked for come before the reply."""

    def __post_init__(self) -> None:
        """Refuse what is no probability."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0.0 <= value <= (60.0 if field.name == "late_s" else 1.0):
                raise ValueError(
                    f"{field.name} = {value!r}: a probability is from 0 to 1, a delay from 0 to 60 s"
                )


@dataclass(frozen=True, slots=True)
class Reply:
    """What comes back over the line, and how much later than it would."""

    data: bytes
    delay_s: float = 0.0


class FaultyLine:
    """Spoils frames as `LineFaults` says, the same way for the same seed."""

    def __init__(self, faults: LineFaults, seed: int = 0) -> None:
        self.faults = faults
        self._random = Random(seed)

    def to_board(self, request: bytes) -> bytes:
        """What of a request reaches the board."""
        if self._happens(self.faults.drop_request):
            return b""
        if self._happens(self.faults.corrupt_request):
            return self._one_byte_changed(request)
        return request

    def refuses(self) -> bool:
        """Whether the board refuses a sound request."""
        return self._happens(self.faults.nack)

    def from_board(self, reply: bytes) -> Reply:
        """What of a reply reaches the computer."""
        if self._happens(self.faults.drop_reply):
            reply = b""
        if reply and self._happens(self.faults.corrupt_reply):
            reply = self._one_byte_changed(reply)
        if reply and self._happens(self.faults.half_reply):
            reply = reply[: self._random.randrange(1, len(reply))]
        if self._happens(self.faults.noise):
            reply = self._random.randbytes(self._random.randrange(1, 9)) + reply
        late = self._happens(self.faults.late_reply)
        return Reply(reply, self.faults.late_s if late else 0.0)

    def _happens(self, probability: float) -> bool:
        # A draw for every question keeps the rest of the sequence the same when one knob changes.
        return self._random.random() < probability

    def _one_byte_changed(self, frame: bytes) -> bytes:
        place = self._random.randrange(len(frame))
        changed = bytearray(frame)
        changed[place] ^= self._random.randrange(1, 256)
        return bytes(changed)
