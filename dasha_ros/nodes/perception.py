"""The node that turns images into percepts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray

from dasha_ros import msg
from dasha_ros.config import NODES, PerceptionConfig
from dasha_ros.devices.camera import EXPOSURE_LIMITS_US
from dasha_ros.freshness.command import CommandId
from dasha_ros.freshness.pending import ANY_POSITION, PendingCommands
from dasha_ros.freshness.state import CaptureInfo
from dasha_ros.perception.detectors import OpenVocabulary
from dasha_ros.perception.errors import ImageError, ModelError
from dasha_ros.perception.percept import Box
from dasha_ros.perception.pipeline import Perception
from dasha_ros.ros.driver_nodes.backends import perception_of
from dasha_ros.ros.node.condition import Condition
from dasha_ros.ros.node.node import DashaNode
from dasha_ros.ros.node.run import run
from dasha_ros.ros.perception.audience import Audience
from dasha_ros.ros.perception.detections import detections_to_msg
from dasha_ros.ros.perception.flicker_glances import FlickerGlances
from dasha_ros.ros.perception.lost_pictures import LostPictures
from dasha_ros.ros.perception.other_detector import OtherDetector, Picture
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.conversions import (
    box_from_msg,
    capture_from_msg,
    id_from_msg,
    lens_from_msg,
    limits_from_msg,
    percept_to_msg,
)
from dasha_ros.ros.transport.fast_subscriber import FastSubscriber
from dasha_ros.ros.transport.image import ImageMessageError, pixels_of
from dasha_ros.ros.transport.stamps import to_ns, to_stamp
from dasha_ros.ros.validation.publishers import publishers_of
from dasha_ros.ros.validation.unheard import unheard_on

_KEPT_CAPTURES = 8
"""Captures to keep: image and CaptureInfo use different topics and arrive in either order."""

_KEPT_COMMANDS = 8
"""Exposure commands to remember that ask about the light."""


class PerceptionNode(DashaNode[PerceptionConfig]):
    """Reads the newest image that can answer a command, and skips all others.

    It subscribes to images with their CaptureInfo, to the lens state and to both commands. It publishes one
    `Percept` for each answered pair of commands and then, if there are subscribers, its detections and the
    annotated picture. While somebody outside the graph listens to these two, it also looks at the camera's
    previews. The detections may come from another node (`OtherDetector`).
    """

    config_model = PerceptionConfig

    def __init__(self) -> None:
        super().__init__("perception")
        self._perception: Perception | None = None
        self._subscriber: FastSubscriber | None = None
        self._forget()

    def _forget(self) -> None:
        """Forget all commands, states and images."""
        self._pending = PendingCommands(ANY_POSITION, EXPOSURE_LIMITS_US)
        self._captures: dict[int, CaptureInfo] = {}
        self._meters: dict[CommandId, Box] = {}
        """What exposure commands ask about the light, where they do."""
        self._waiting: Picture | None = None
        self._next_preview_ns = 0
        self._other: OtherDetector | None = None
        self._stage_ms: dict[str, float] = {}
        self._flicker = FlickerGlances(self.steady.now_ns)
        self._lost = LostPictures(self.steady.now_ns)

    def configure(self) -> None:
        """Load the models and create the topics."""
        self.health.clear("picture")
        self._forget()
        self._perception = perception_of(self.config)
        self._perception.warm_up()
        self._percept_publisher = self.keep_publisher(msg.Percept, "perception/percept", qos.PERCEPT)
        self._picture_publisher = self.keep_publisher(
            CompressedImage, "perception/annotated/compressed", qos.IMAGE
        )
        self._detections_publisher = self.keep_publisher(
            Detection2DArray, "perception/detections", qos.PERCEPT
        )
        for_people = (self._picture_publisher, self._detections_publisher)
        self._audience = Audience(self, for_people, NODES, self.steady.now_ns)
        self._info_publisher = self.keep_publisher(msg.PerceptionInfo, "perception/info", qos.STATE)
        self._subscriber = FastSubscriber(self)
        self.keep(self._subscriber, self._subscriber.close)
        self.health.watch("lost", self._lost_pictures)
        self.health.watch("detector", lambda: self._other.condition() if self._other else None)
        if elsewhere := self.config.detector_topic:
            full_name = self.resolve_topic_name(elsewhere)
            self._other = OtherDetector(
                full_name,
                self.config.detector_labels,
                self.steady.now_ns,
                lambda: publishers_of(self, elsewhere),
                lambda: bool(unheard_on(self, full_name, self.get_fully_qualified_name())),
            )
            self._other.timeout_s = self.config.detector_timeout_s
            self._subscriber.listen(Detection2DArray, elsewhere, self._on_detections, qos.DETECTIONS)
        for kind, topic, callback, profile in (
            (msg.ExposureCommand, "camera/exposure_command", self._on_exposure_command, qos.COMMAND),
            (msg.LensCommand, "lens/command", self._on_lens_command, qos.COMMAND),
            (msg.LensInfo, "lens/info", self._on_lens_info, qos.STATE),
            (msg.LensState, "lens/state", self._on_lens, qos.STATE),
            (msg.CaptureInfo, "camera/capture", self._on_capture, qos.CAPTURE),
            (msg.CameraLimits, "camera/limits", self._on_limits, qos.STATE),
            (Image, "camera/image_raw", self._on_image, qos.IMAGE),
        ):
            self._subscriber.listen(kind, topic, callback, profile)

    def activate(self) -> None:
        """Publish what can be detected, and start reading images."""
        if self._subscriber is not None:
            self._subscriber.wake()
        self._publish_info()
        self.exclusive_topics.add("perception/info", self._publish_info)
        assert self._perception is not None
        self.health.set_activity(f"{self._perception.encoder.id}, {self._detector_name}")
        self.health.show("stages", lambda: {f"{stage}_ms": ms for stage, ms in self._stage_ms.items()})
        self.health.show("flicker", self._flicker.values)

    def deactivate(self) -> None:
        """Finish the image that is just read, and read no more."""
        if self._subscriber is not None:
            self._subscriber.rest()

    @property
    def _detector_name(self) -> str:
        return self.config.detector_topic or self.config.detector

    def _publish_info(self) -> None:
        perception = self._perception
        if perception is None or not self.context.ok():
            return
        self._info_publisher.publish(
            msg.PerceptionInfo(
                node=self.instance,
                encoder=perception.encoder.id,
                latent_size=perception.encoder.size,
                detector=self._detector_name,
                labels=list(perception.detector.labels),
                open_vocabulary=self._words is not None,
            )
        )

    @property
    def _words(self) -> OpenVocabulary | None:
        """The detector, if it takes words."""
        detector = self._perception.detector if self._perception is not None else None
        return detector if isinstance(detector, OpenVocabulary) and detector.takes_words else None

    def cleanup(self) -> None:
        """Release the models."""
        self._subscriber = self._perception = None

    def refuse_change(self, config: PerceptionConfig) -> str:
        """Read changed words: only the network that reads them knows whether it can."""
        words = config.detector_classes
        if self._perception is None or words == self.config.detector_classes:
            return ""
        if self._words is None:
            return f"detector_classes: {self._detector_name} can't be told in words what to look for"
        if not words:
            return "detector_classes: an empty list counts only when perception is configured"
        try:
            self._words.look_for(words)
        except ModelError as error:
            return str(error)
        return ""

    def reconfigure(self, config: PerceptionConfig) -> None:
        """Apply what changed with the next frame, and tell what can be detected now."""
        if self.is_active and self._words is not None:
            self._publish_info()
        if self._perception is not None:
            self._perception.min_score = config.min_score
            self._perception.colour_detail = config.colour_detail
        if self._other is not None:
            self._other.timeout_s = config.detector_timeout_s

    def _on_exposure_command(self, command: msg.ExposureCommand) -> None:
        sent, meter = id_from_msg(command.id), box_from_msg(command.meter)
        self._pending.exposure_sent(command.exposure_us, sent, self.steady.now_ns())
        if meter is not None:
            self._meters[sent] = meter
            while len(self._meters) > _KEPT_COMMANDS:
                del self._meters[next(iter(self._meters))]

    def _on_lens_command(self, command: msg.LensCommand) -> None:
        self._pending.lens_sent(command.position, id_from_msg(command.id), self.steady.now_ns())

    def _on_lens_info(self, info: msg.LensInfo) -> None:
        self._pending.limit_positions(info.position_min, info.position_max)

    def _on_lens(self, state: msg.LensState) -> None:
        self._pending.lens_reported(lens_from_msg(state), self.steady.now_ns())
        self._look()

    def _on_limits(self, limits: msg.CameraLimits) -> None:
        self._pending.limit_exposures(limits.exposure_min_us, limits_from_msg(limits).longest_asked_us)

    def _on_capture(self, message: msg.CaptureInfo) -> None:
        capture = capture_from_msg(message)
        self._pending.captured(capture, self.steady.now_ns())
        self._lost.told()
        self._captures[capture.stamp_ns] = capture
        while len(self._captures) > _KEPT_CAPTURES:
            del self._captures[next(iter(self._captures))]
        self._look()

    def _lost_pictures(self) -> Condition | None:
        """A warning if pictures get lost and their quality of service is not why, which is told by itself."""
        found = self._lost.condition()
        name, topic = self.get_fully_qualified_name(), self.resolve_topic_name("camera/image_raw")
        return found if found and not unheard_on(self, topic, name) else None

    def _on_image(self, image: Image) -> None:
        self.health.count("images")
        self._lost.came()
        if self._other is not None:
            self._other.picture(image, self.clock.now_ns())
        else:
            if self._waiting is not None:
                self.health.count("unneeded_images")
            self._waiting = Picture(image, self.clock.now_ns(), 0)
        self._look()
        capture = self._captures.get(to_ns(image.header.stamp))
        if capture is not None and self._pending.is_fresh(capture, self.steady.now_ns()):
            self._flicker.glance(image, capture)

    def _on_detections(self, detections: Any) -> None:
        self.health.count("detections")
        if self._other is not None:
            self._other.heard(detections)
            self._look()

    def _look(self) -> None:
        """Read a picture if everything about it is known and a command awaits it."""
        if not self.is_active or self._pending.lens is None:
            return
        if self._other is None:
            if self._waiting is not None and (capture := self._wanted(self._waiting)) is not None:
                picture, self._waiting = self._waiting, None
                self._read(picture, capture)
            return
        needed = False
        for picture in self._other.pictures():
            if (capture := self._wanted(picture)) is None:
                continue
            if picture.found is not None:
                self._other.take(picture)
                self._read(picture, capture)
                return
            needed = True
        self._other.needs(needed)

    def _wanted(self, picture: Picture) -> CaptureInfo | None:
        """The settings of a picture, if they are known and a percept of it is wanted."""
        capture = self._captures.get(to_ns(picture.image.header.stamp))
        now_ns = self.steady.now_ns()
        if capture is not None and (
            self._pending.is_awaited(capture, now_ns) or self._is_preview_due(capture, now_ns)
        ):
            return capture
        return None

    def _read(self, picture: Picture, capture: CaptureInfo) -> None:
        if (rate := self.config.preview_rate_hz) > 0:
            self._next_preview_ns = self.steady.now_ns() + round(1e9 / rate)
        try:
            self._perceive(picture, capture)
        except (ImageMessageError, ImageError) as error:
            self.health.count("bad_images")
            self.health.warn("picture", f"image skipped: {error}")
        except Exception as error:  # From a model, a driver or memory: the next picture may work.
            self.health.count("failed_frames")
            self.health.error("picture", f"perception failed: {type(error).__name__}: {error}")

    def _is_preview_due(self, capture: CaptureInfo, now_ns: int) -> bool:
        """Whether to look at a frame that no command waits for."""
        return (
            self.config.preview_rate_hz > 0
            and now_ns >= self._next_preview_ns
            and self._audience.is_there()
            and self._pending.is_fresh(capture, now_ns)
        )

    def _perceive(self, picture: Picture, capture: CaptureInfo) -> None:
        assert self._perception is not None
        assert self._pending.lens is not None
        image = picture.image
        percept = self._perception.perceive(
            pixels_of(image),
            image.encoding,
            capture,
            self._pending.lens,
            picture.found,
            meter=self._meters.get(capture.exposure_command),
        )
        percept = replace(percept, flicker_hz=self._flicker.hz)
        percept.stage_ms["transport"] = (picture.received_ns - capture.ready_ns) / 1e6
        if picture.found is not None:
            percept.stage_ms["detector"] = picture.detector_ms
        self._percept_publisher.publish(percept_to_msg(percept, image.header.frame_id, self.instance))
        self._pending.answered(capture)
        # Only now, because nobody shall wait for it.
        self._flicker.see(self._perception.picture(percept), capture)
        self._stage_ms = percept.stage_ms
        self.health.count("percepts")
        if percept.is_finite():
            self.health.clear("picture")
        else:
            self.health.count("invalid_percepts")
            self.health.warn("picture", "the last percept holds values that are not numbers")
        header = Header(stamp=to_stamp(capture.stamp_ns), frame_id=image.header.frame_id)
        if self._detections_publisher.get_subscription_count() > 0:
            self._detections_publisher.publish(detections_to_msg(percept.detections, header))
        if self._picture_publisher.get_subscription_count() > 0:
            jpeg = self._perception.annotated_jpeg(percept, self.config.jpeg_quality)
            self._picture_publisher.publish(CompressedImage(header=header, format="jpeg", data=jpeg))


def main(args: Sequence[str] | None = None) -> None:
    """Run perception."""
    run(PerceptionNode, args)


if __name__ == "__main__":
    main()
