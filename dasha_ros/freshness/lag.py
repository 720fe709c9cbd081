"""Which frame of a free-running stream may answer a command, if the device cannot tell.

A webcam reads a setting back at once, but its picture follows a few frames later, and so does the picture of
a camera node that tells nothing about its frames. How many frames show the old setting is measured. Until as
many have passed, and a margin more, no frame answers.
"""

from __future__ import annotations

MOST_FRAMES = 60
"""No stream lags by more: two seconds at 30 frames a second."""


class FrameLag:
    """Lets the frames pass that may still show the setting before a command.

    Its owner calls `commanded` when the device has taken a command *and* every frame that had arrived until
    then is thrown away, and `arrived` for each frame after that. A frame that was lost on the way is not
    counted, so the rule may wait longer than needed but never shorter.

    Not safe for threads.

    Attributes:
        left: Frames that have yet to pass before one may answer.
    """

    def __init__(self) -> None:
        self.left = 0

    def commanded(self, frames: int) -> None:
        """A command was taken; of the frames that arrive from now on, ``frames`` may not answer it.

        A command with a shorter lag does not shorten the wait for an earlier one.

        Args:
            frames: The measured lag and its margin.

        Raises:
            ValueError: ``frames`` is beyond 0 to `MOST_FRAMES`.
        """
        if not 0 <= frames <= MOST_FRAMES:
            raise ValueError(f"a lag of {frames!r} frames: it must lie in 0 to {MOST_FRAMES}")
        self.left = max(self.left, frames)

    def arrived(self) -> bool:
        """A frame arrived; returns whether it may answer every command so far."""
        if self.left:
            self.left -= 1
            return False
        return True
