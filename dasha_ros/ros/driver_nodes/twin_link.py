"""What joins the twin's camera and lens across processes: the optical path, not the protocol."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.lifecycle import LifecycleNode

from dasha_ros import msg
from dasha_ros.assets.catalogue import AssetMissing
from dasha_ros.devices.software_camera import SoftwareCamera
from dasha_ros.devices.twin.camera import TwinCamera
from dasha_ros.devices.twin.lens import TwinLens
from dasha_ros.freshness.state import LensState
from dasha_ros.optics.actuator import PowerTrajectory
from dasha_ros.ros.node.health import Health
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.conversions import trajectory_to_msg
from dasha_ros.ros.transport.fast_subscriber import FastSubscriber
from dasha_ros.ros.transport.stamps import to_ns
from dasha_ros.ros.validation.subscribe import subscribe
from dasha_ros.twin.scene import SceneError
from dasha_ros.twin.world import World, WorldError


class _WorldListener(ABC):
    """Subscribes to the world. Refuses, counts and reports an unusable one until a usable one comes."""

    def __init__(
        self, node: LifecycleNode, health: Health, subscriber: FastSubscriber | None = None, **options: Any
    ) -> None:
        self._node, self._health, self._subscription = node, health, None
        if subscriber is not None:
            subscriber.listen(msg.TwinWorld, "twin/world", self._on_world, qos.STATE)
            return
        self._subscription = subscribe(
            node, msg.TwinWorld, "twin/world", self._on_world, qos.STATE, **options
        )

    def close(self) -> None:
        """Unsubscribe. A `FastSubscriber` is closed by its owner."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
        self._health.clear("world")

    @abstractmethod
    def take(self, world: World) -> None:
        """Use a world.

        Raises:
            SceneError: Its scene is invalid.
            AssetMissing: A photograph is not on this machine.
        """

    def _on_world(self, message: msg.TwinWorld) -> None:
        try:
            self.take(World.of(message))
        except (SceneError, AssetMissing, WorldError) as error:
            self._health.count("refused_worlds")
            self._health.error("world", f"the previous world stays active: {error}")
        else:
            self._health.clear("world")


class LensTwinLink(_WorldListener):
    """Publishes how the twin's lens moves, and applies the world's temperature to it."""

    def __init__(self, node: LifecycleNode, lens: TwinLens, health: Health, instance: str = "") -> None:
        """Follow the world's temperature.

        Args:
            node: Owns the topics.
            lens: The twin's lens.
            health: The node's health.
            instance: Sender of the messages.
        """
        self._lens, self._state, self._instance = lens, msg.LensState(), instance
        self._publishing = threading.Lock()
        self._publisher = node.create_publisher(msg.TwinLens, "twin/lens", qos.STATE)
        super().__init__(node, health, callback_group=ReentrantCallbackGroup())

    def close(self) -> None:
        """Close the topics."""
        super().close()
        self._node.destroy_publisher(self._publisher)

    def publish(self, state: msg.LensState) -> None:
        """Publish the move that led to a state."""
        with self._publishing:
            self._state = state
            self._publish()

    def take(self, world: World) -> None:
        """Apply the world's temperature."""
        # The lock keeps an older state from following a newer move; the camera would keep waiting.
        with self._publishing:
            self._lens.set_temperature(world.temperature_c)
            self._publish()

    def repeat(self) -> None:
        """Publish the last message again."""
        with self._publishing:
            self._publish()

    def _publish(self) -> None:
        self._publisher.publish(trajectory_to_msg(self._lens.trajectory, self._state, self._instance))


class WorldLink(_WorldListener):
    """Passes the world to a twin's camera."""

    def __init__(
        self,
        node: LifecycleNode,
        camera: TwinCamera,
        health: Health,
        subscriber: FastSubscriber | None = None,
    ) -> None:
        self._camera = camera
        self.knows_world = False
        """Whether a usable world was received."""
        super().__init__(node, health, subscriber)

    def changed(self) -> None:
        """Called after the camera received something new."""

    def take(self, world: World) -> None:
        """Pass a world to the camera."""
        self._camera.set_world(world)
        self.knows_world = True
        self.changed()


class _CameraWorldLink(WorldLink):
    """Passes the world to a twin's camera, and tells of it."""

    def __init__(
        self,
        node: LifecycleNode,
        camera: TwinCamera,
        health: Health,
        subscriber: FastSubscriber,
        tell: Callable[[], None],
    ) -> None:
        self._tell = tell
        super().__init__(node, camera, health, subscriber)

    def changed(self) -> None:
        """See `WorldLink.changed`."""
        self._tell()


class CameraTwinLink:
    """Passes the lens's moves to a camera in software, and the world to one that shows a world."""

    def __init__(
        self,
        node: LifecycleNode,
        subscriber: FastSubscriber,
        camera: SoftwareCamera,
        health: Health,
        *,
        changed: Callable[[], None],
        heard: Callable[[msg.LensState], None],
    ) -> None:
        """Follow the lens, and the world if there is one.

        Args:
            node: Owns the topics.
            subscriber: Serves its topics.
            camera: Looks through the lens.
            health: The node's health.
            changed: Called after the camera received something new.
            heard: Called with the state that the lens driver sent along with a move.
        """
        self._camera = camera
        # The thread that receives commands also receives worlds, so a command never overtakes the world.
        self._world = (
            _CameraWorldLink(node, camera, health, subscriber, changed)
            if isinstance(camera, TwinCamera)
            else None
        )
        self._known: msg.LensState | None = None
        """The state that the lens driver sent with the newest move."""
        self._known_node, self._moved_ns = "", 0
        """Who sent it, and when that move began."""
        self._tell, self._heard = changed, heard
        subscriber.listen(msg.TwinLens, "twin/lens", self._on_lens, qos.STATE)

    def close(self) -> None:
        """Unsubscribe from the world. The `FastSubscriber` is closed by its owner."""
        if self._world is not None:
            self._world.close()

    def follows(self, lens: LensState | None) -> bool:
        """Whether a picture would show the world with the lens where its driver says it is.

        Real light needs no message. That of a camera in software does, and the lens's state may arrive before
        it. A driver with a fault, or one that is not active, says nowhere that its lens is, so nothing is
        waited for.
        """
        known = self._known
        if (self._world is not None and not self._world.knows_world) or known is None:
            return False
        return lens is None or bool(lens.faults) or (known.driver == lens.driver and known.move >= lens.move)

    def _on_lens(self, message: msg.TwinLens) -> None:
        said, known = message.state, self._known
        if known is not None and said.driver == known.driver and said.sequence < known.sequence:
            return
        moved_ns = to_ns(message.moved_at)
        if (
            known is not None
            and not said.driver
            and message.node == self._known_node
            and moved_ns <= self._moved_ns
        ):
            # The first message of a driver has no state yet. If it came after the next one and counted, the
            # camera would wait for a state that has been there already.
            return
        self._camera.set_trajectory(
            PowerTrajectory(
                moved_ns,
                message.start_dioptres,
                message.target_dioptres,
                message.time_constant_s,
            )
        )
        self._known, self._known_node, self._moved_ns = said, message.node, moved_ns
        if said.sequence:
            # The state is empty until the driver has opened its lens.
            self._heard(said)
        self._tell()
