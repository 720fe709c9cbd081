"""Listens to the topics of a graph and writes what arrives, as it arrives."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping

from rclpy.node import Node

from dasha_ros.recording.metadata import Topic
from dasha_ros.recording.writer import RecordingWriter
from dasha_ros.ros.recording.gaps import Gaps
from dasha_ros.ros.recording.images import JPEG_KIND, as_jpeg
from dasha_ros.ros.recording.schema import UnknownTypeError, definition, message_class
from dasha_ros.ros.recording.topics import fitting_qos, is_latched, offered_qos, topics_to_record
from dasha_ros.ros.transport.patient_subscriber import PatientSubscriber

IMAGES = "raw", "jpeg", "none"
"""How raw images are written: as they are, as JPEG, or not at all."""
_BELL = "/perception/percept"
"""Heard when perception has done its work on a picture: now the recorder may do its own."""
IMAGE_KIND = "sensor_msgs/msg/Image"
_REPLAYED = (
    ("/camera/image_raw", "/camera/image_raw/compressed"),
    ("/camera/capture",),
    ("/lens/state",),
    ("/lens/info",),
)
"""One of each is needed to replay a goal."""


class Recorder:
    """Records topics of one graph; topics that appear later are taken up by `look`."""

    def __init__(
        self,
        node: Node,
        namespace: str,
        writer: RecordingWriter,
        *,
        named: Collection[str] = (),
        images: str = "raw",
        jpeg_quality: int = 95,
        tell: Callable[[str], None],
    ) -> None:
        """Begin to listen.

        Args:
            node: Its subscriptions are made here.
            namespace: Of the graph.
            writer: Where messages go.
            named: Full names of topics to record instead of all.
            images: One of `IMAGES`.
            jpeg_quality: 1 to 100.
            tell: Called with a sentence for each topic that can't be recorded.
        """
        self._node, self._namespace, self._writer = node, namespace, writer
        self._named, self._images, self._quality, self._tell = set(named), images, jpeg_quality, tell
        self._subscriber = PatientSubscriber(node, f"{namespace.rstrip('/')}{_BELL}")
        self._known: set[str] = set()
        self._left_out: dict[str, str] = {}
        """Topics that can't be recorded or are not wanted, and why."""
        self._several: set[str] = set()
        """Topics that were published with several types, and were told of."""
        self._heard: set[str] = set()
        """The names under which messages were written."""
        self._arrived: set[str] = set()
        """The topics from which they came."""
        self._lock = threading.Lock()
        self.refused: dict[str, int] = {}
        """Images that can't be written as JPEG, by topic."""
        self.missed: dict[str, int] = {}
        """Images that were sent and did not arrive, by topic."""

    @property
    def topics(self) -> int:
        """How many topics are heard."""
        return len(self._known)

    @property
    def hears_goals(self) -> bool:
        """Whether everything was heard that a replay of a goal needs."""
        heard = tuple(self._heard)
        return all(any(topic.endswith(names) for topic in heard) for names in _REPLAYED)

    def look(self) -> None:
        """Take up topics that are new in the graph."""
        known = self._known | self._left_out.keys()
        for topic, kinds in topics_to_record(self._node, self._namespace, self._named, known).items():
            if len(kinds) > 1:
                self._tell_of_several(topic, kinds)
            if len(kinds) > 1 or topic in known:
                continue
            (kind,) = kinds
            if kind == IMAGE_KIND and self._images == "none":
                self._left_out[topic] = "pictures are left out"
                continue
            self._known.add(topic)
            try:
                self._listen(topic, kind)
            except UnknownTypeError as error:
                self._left_out[topic] = f"its type {kind} is not known here"
                self._tell(f"{topic} is not recorded: {error}")

    def _tell_of_several(self, topic: str, kinds: Collection[str]) -> None:
        if topic not in self._several:
            self._several.add(topic)
            self._tell(
                f"nodes publish {topic} with several types ({', '.join(kinds)}), and at most one of them is "
                "recorded: stop the node that does not belong there, and record anew"
            )

    @property
    def unheard(self) -> dict[str, str]:
        """The topics that were named and of which nothing was recorded, and why."""
        why = {
            **dict.fromkeys(self._named, "no node published it"),
            **dict.fromkeys(self._known, "no message came"),
            **dict.fromkeys(self._several, "nodes publish it with several types"),
            **self._left_out,
        }
        return {topic: why[topic] for topic in sorted(self._named - self._arrived - self.refused.keys())}

    def close(self) -> None:
        """Stop listening; nothing is written once this returns."""
        self._subscriber.close()

    def _listen(self, topic: str, kind: str) -> None:
        qos = fitting_qos(self._node, topic)
        jpeg = kind == IMAGE_KIND and self._images == "jpeg"
        name, written = (f"{topic}/compressed", JPEG_KIND) if jpeg else (topic, kind)
        described = Topic(name, written, definition(written), offered_qos(qos), is_latched(qos))

        gaps = Gaps()

        def hear(data: bytes, facts: Mapping[str, int]) -> None:
            if kind == IMAGE_KIND:
                self.missed[topic] = gaps.after(facts["publication_sequence_number"] or 0)
            came_ns = facts["received_timestamp"] or time.time_ns()
            if jpeg and (data := as_jpeg(data, self._quality)) == b"":
                self.refused[topic] = self.refused.get(topic, 0) + 1
                return
            with self._lock:
                self._writer.add_topic(described)
                self._writer.write(name, data, came_ns, facts["source_timestamp"] or came_ns)
                self._heard.add(name)
                self._arrived.add(topic)

        self._subscriber.listen_raw(message_class(kind), topic, hear, qos)

    def tick(self) -> None:
        """Bring what was heard to the disk while the graph is silent."""
        with self._lock:
            self._writer.tick()
