"""A faulty serial line: it loses, delays, corrupts, truncates and refuses frames, and adds noise."""

from __future__ import annotations

from dataclasses import dataclass, fields
from random import Random

ANSWERS_WITHIN_S = 0.2
"""How long a driver should wait for an emulated board [s]: it is a program, which a busy computer may stop
for longer than any board takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFaults:
    """Probabilities of the faults, from 0 to 1; all zero for a clean line."""

    drop_request: float = 0.0
    """The request does not reach the board."""
    corrupt_request: float = 0.0
    """One byte of the request changes."""
    drop_reply: float = 0.0
    """The board obeys, but its reply is lost."""
    corrupt_reply: float = 0.0
    half_reply: float = 0.0
    """The reply breaks off."""
    late_reply: float = 0.0
    """The reply arrives ``late_s`` later."""
    late_s: float = 0.3
    nack: float = 0.0
    """The board refuses a valid request."""
    noise: float = 0.0
    """Random bytes arrive before the reply."""

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0.0 <= value <= (60.0 if field.name == "late_s" else 1.0):
                raise ValueError(
                    f"{field.name} = {value!r}: a probability is from 0 to 1, a delay from 0 to 60 s"
                )


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply as it leaves the line, and its delay."""

    data: bytes
    delay_s: float = 0.0


class FaultyLine:
    """Applies `LineFaults` to frames; the same seed gives the same faults."""

    def __init__(self, faults: LineFaults, seed: int = 0) -> None:
        self.faults = faults
        self._random = Random(seed)

    def to_board(self, request: bytes) -> bytes:
        """The part of a request that reaches the board."""
        if self._happens(self.faults.drop_request):
            return b""
        if self._happens(self.faults.corrupt_request):
            return self._one_byte_changed(request)
        return request

    def refuses(self) -> bool:
        """Whether the board refuses this valid request."""
        return self._happens(self.faults.nack)

    def from_board(self, reply: bytes) -> Reply:
        """The part of a reply that reaches the computer."""
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
        # Always draw, so that changing one setting does not change the rest of the sequence.
        return self._random.random() < probability

    def _one_byte_changed(self, frame: bytes) -> bytes:
        place = self._random.randrange(len(frame))
        changed = bytearray(frame)
        changed[place] ^= self._random.randrange(1, 256)
        return bytes(changed)
