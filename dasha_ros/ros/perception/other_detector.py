"""Another node's detections instead of an own detector: which picture they belong to, and who is late."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dasha_ros.perception.percept import Detection
from dasha_ros.ros.node.condition import Condition, failure, warning
from dasha_ros.ros.perception.detections import detections_from_msg
from dasha_ros.ros.transport.stamps import to_ns

_KEPT = 8
"""Pictures and detections to keep: a detector may be several pictures behind."""


@dataclass
class Picture:
    """A picture, and what the detector says of it."""

    image: Any
    """``sensor_msgs/Image``, as it was heard."""
    received_ns: int
    """When it came, as a stamp."""
    heard_ns: int
    """When it came, on the steady clock."""
    found: tuple[Detection, ...] | None = None
    """`None` until the detections come."""
    detector_ms: float = 0.0
    """From the picture to its detections [ms]."""


class OtherDetector:
    """Matches another node's detections with pictures, by their stamps.

    Pictures without detections wait, since a detector that is slower than the camera leaves some out.
    One thread calls the methods; `condition` may be called from any.
    """

    def __init__(
        self,
        topic: str,
        labels: Sequence[str],
        now_ns: Callable[[], int],
        publishers: Callable[[], Sequence[str]],
        is_unheard: Callable[[], bool] = lambda: False,
    ) -> None:
        """Nothing has come yet.

        Args:
            topic: Name of the topic, for people.
            labels: See `detections_from_msg`.
            now_ns: A steady clock [ns].
            publishers: Names of the nodes that publish the topic now.
            is_unheard: Whether it can't arrive, because they offer less than is asked for.
        """
        self._is_unheard = is_unheard
        self._topic, self._labels, self._now_ns, self._publishers = topic, tuple(labels), now_ns, publishers
        self.timeout_s = 1.0
        self._pictures: dict[int, Picture] = {}
        self._early: dict[int, tuple[Detection, ...]] = {}
        """Detections that came before their picture."""
        self._needed_since_ns: int | None = None
        self._heard_ns: int | None = None
        self.last_ms = 0.0
        """How long the newest match took [ms]."""

    def picture(self, image: Any, received_ns: int) -> None:
        """Note a picture."""
        stamp = to_ns(image.header.stamp)
        self._pictures[stamp] = Picture(image, received_ns, self._now_ns(), self._early.pop(stamp, None))
        _forget_oldest(self._pictures)

    def heard(self, message: Any) -> None:
        """Note a ``Detection2DArray``."""
        now_ns = self._now_ns()
        self._heard_ns = now_ns
        stamp, found = to_ns(message.header.stamp), detections_from_msg(message, self._labels)
        picture = self._pictures.get(stamp)
        if picture is None:
            self._early[stamp] = found
            _forget_oldest(self._early)
            return
        picture.found, picture.detector_ms = found, (now_ns - picture.heard_ns) / 1e6
        self.last_ms = picture.detector_ms

    def pictures(self) -> list[Picture]:
        """The pictures that are kept, newest first."""
        return list(reversed(self._pictures.values()))

    def needs(self, needed: bool) -> None:
        """Note whether a picture that a command awaits has no detections yet."""
        if not needed:
            self._needed_since_ns = None
        elif self._needed_since_ns is None:
            self._needed_since_ns = self._now_ns()

    def take(self, picture: Picture) -> None:
        """Forget a picture that was used, and all that are older."""
        stamps = list(self._pictures)
        for stamp in stamps[: stamps.index(to_ns(picture.image.header.stamp)) + 1]:
            del self._pictures[stamp]
        self.needs(False)

    def condition(self) -> Condition | None:
        """What is wrong with the detector, by name; `None`: nothing."""
        now_ns, since_ns, heard_ns = self._now_ns(), self._needed_since_ns, self._heard_ns
        limit_ns = round(self.timeout_s * 1e9)
        if since_ns is not None and now_ns - since_ns > limit_ns:
            names = " and ".join(self._publishers())
            waits = f"pictures wait for detections for {(now_ns - since_ns) / 1e9:.1f} s"
            if not names:
                return failure(
                    f"{waits}, but no node publishes {self._topic}: start the detector, or clear "
                    "perception.detector_topic"
                )
            if heard_ns is None and self._is_unheard():
                return None  # The node says so itself; see `ros.validation.unheard`.
            if heard_ns is None or heard_ns < since_ns:
                return failure(f"{waits}: {names} sends nothing on {self._topic}; look at its log")
            return failure(
                f"{waits}: {names} sends detections on {self._topic}, but with stamps of other pictures; "
                "they must carry the header of the image in camera/image_raw"
            )
        if self.last_ms > self.timeout_s * 1e3:
            names = " and ".join(self._publishers()) or "a node that has left"
            return warning(
                f"the detector is slow: {names} took {self.last_ms / 1e3:.1f} s for the last picture on "
                f"{self._topic}, more than detector_timeout_s = {self.timeout_s:g}"
            )
        return None


def _forget_oldest(kept: dict[int, Any]) -> None:
    while len(kept) > _KEPT:
        del kept[next(iter(kept))]
