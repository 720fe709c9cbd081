"""Listens to the topics of a graph and writes what arrives, as it arrives."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection

from rclpy.node import Node

from dasha_ros.recording.metadata import Topic
from dasha_ros.recording.writer import RecordingWriter
from dasha_ros.ros.recording.images import JPEG_KIND, as_jpeg
from dasha_ros.ros.recording.schema import UnknownTypeError, definition, message_class
from dasha_ros.ros.recording.topics import fitting_qos, is_latched, offered_qos, topics_to_record
from dasha_ros.ros.transport.fast_subscriber import FastSubscriber

IMAGES = "raw", "jpeg", "none"
"""How raw images are written: as they are, as JPEG, or not at all."""
IMAGE_KIND = "sensor_msgs/msg/Image"


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
        self._subscriber = FastSubscriber(node)
        self._known: set[str] = set()
        self._lock = threading.Lock()
        self.refused: dict[str, int] = {}
        """Images that can't be written as JPEG, by topic."""

    @property
    def topics(self) -> int:
        """How many topics are heard."""
        return len(self._known)

    def look(self) -> None:
        """Take up topics that are new in the graph."""
        for topic, kind in topics_to_record(self._node, self._namespace, self._named).items():
            if topic in self._known or (kind == IMAGE_KIND and self._images == "none"):
                continue
            self._known.add(topic)
            try:
                self._listen(topic, kind)
            except UnknownTypeError as error:
                self._tell(f"{topic} is not recorded: {error}")

    def close(self) -> None:
        """Stop listening; nothing is written once this returns."""
        self._subscriber.close()

    def _listen(self, topic: str, kind: str) -> None:
        qos = fitting_qos(self._node, topic)
        jpeg = kind == IMAGE_KIND and self._images == "jpeg"
        name, written = (f"{topic}/compressed", JPEG_KIND) if jpeg else (topic, kind)
        described = Topic(name, written, definition(written), offered_qos(qos), is_latched(qos))

        def hear(data: bytes, sent_ns: int) -> None:
            now_ns = time.time_ns()
            if jpeg and (data := as_jpeg(data, self._quality)) == b"":
                self.refused[topic] = self.refused.get(topic, 0) + 1
                return
            with self._lock:
                self._writer.add_topic(described)
                self._writer.write(name, data, now_ns, sent_ns or now_ns)

        self._subscriber.listen_raw(message_class(kind), topic, hear, qos)

    def tick(self) -> None:
        """Bring what was heard to the disk while the graph is silent."""
        with self._lock:
            self._writer.tick()
