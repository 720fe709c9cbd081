"""Which of the two controllers, and which of its channels."""

from __future__ import annotations

from dataclasses import dataclass

CHANNELS = {"icc-1c": 1, "icc-4c": 4}
"""How many lenses each controller drives."""


@dataclass(frozen=True, slots=True)
class IccBoard:
    """A controller, and the channel that the lens is at."""

    controller: str = "icc-4c"
    """One of `CHANNELS`."""
    channel: int = 0

    def __post_init__(self) -> None:
        """Check both.

        Raises:
            ValueError: There is no such controller, or it has no such channel.
        """
        count = CHANNELS.get(self.controller)
        if count is None:
            raise ValueError(f"unknown controller {self.controller!r}; choose one of {', '.join(CHANNELS)}")
        if self.channel not in range(count):
            last = count - 1
            are = "only channel 0" if not last else f"channels 0 to {last}"
            raise ValueError(f"channel {self.channel!r}: an {self.name} has {are}")

    @property
    def name(self) -> str:
        """As Optotune writes it."""
        return self.controller.upper()


def icc_board(text: str) -> IccBoard | None:
    """The board of ``icc-1c``, ``icc-4c`` or ``icc-4c:2``; ``None``: the text means another board.

    Raises:
        ValueError: The controller has no such channel.
    """
    controller, _, channel = text.partition(":")
    if controller not in CHANNELS:
        return None
    if channel and not channel.isdecimal():
        raise ValueError(f"board {text!r}: after the colon comes the number of a channel, such as icc-4c:2")
    return IccBoard(controller, int(channel or 0))
