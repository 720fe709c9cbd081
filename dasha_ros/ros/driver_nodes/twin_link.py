"""What joins the twin's camera and lens across processes: light and glass, not protocol."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.lifecycle import LifecycleNode

from dasha_ros import msg
from dasha_ros.assets.catalogue import AssetMissing
from dasha_ros.devices.twin import TwinCamera, TwinLens
from dasha_ros.freshness.state import LensState
from dasha_ros.optics.actuator import PowerTrajectory
from dasha_ros.ros.node.health import Health
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.conversions import trajectory_to_msg
from dasha_ros.ros.transport.fast_subscriber import FastSubscriber
from dasha_ros.ros.transport.stamps import to_ns
from dasha_ros.ros.validation.heard import subscribe
from dasha_ros.twin.scene import SceneError
from dasha_ros.twin.world import World, WorldError


class _WorldListener(ABC):
    """Hears of the world. One that can't be used is refused and counted, and told of until another can."""

    def __init__(
        self, node: LifecycleNode, health: Health, lane: FastSubscriber | None = None, **subscription: Any
    ) -> None:
        self._node, self._health, self._subscription = node, health, None
        if lane is not None:
            lane.listen(msg.TwinWorld, "twin/world", self._on_world, qos.STATE)
            return
        self._subscription = subscribe(
            node, msg.TwinWorld, "twin/world", self._on_world, qos.STATE, **subscription
        )

    def close(self) -> None:
        """Leave the topics; a lane's owner closes it."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
        self._health.clear("world")

    @abstractmethod
    def take(self, world: World) -> None:
        """Make use of a world.

        Raises:
            SceneError: Its scene can't be used.
            AssetMissing: A photograph is not on this machine.
        """

    def _on_world(self, message: msg.TwinWorld) -> None:
        try:
            self.take(
                World(
                    scene=message.scene,
                    illuminance_lx=message.illuminance_lx,
                    distances_m=tuple(message.distances_m),
                    temperature_c=message.temperature_c,
                )
            )
        except (SceneError, AssetMissing, WorldError) as error:
            self._health.count("refused_worlds")
            self._health.error("world", f"the old world stays: {error}")
        else:
            self._health.clear("world")


class LensTwinLink(_WorldListener):
    """Publishes how the twin's lens moves, and lets it feel the world's temperature."""

    def __init__(self, node: LifecycleNode, lens: TwinLens, health: Health, instance: str = "") -> None:
        """Follow the world's temperature.

        Args:
            node: Owns the topics.
            lens: Feels it.
            health: Of the node.
            instance: Who tells of the moves.
        """
        self._lens, self._state, self._instance = lens, msg.LensState(), instance
        self._telling = threading.Lock()
        self._publisher = node.create_publisher(msg.TwinLens, "twin/lens", qos.STATE)
        super().__init__(node, health, callback_group=ReentrantCallbackGroup())

    def close(self) -> None:
        """Leave the topics."""
        super().close()
        self._node.destroy_publisher(self._publisher)

    def publish(self, state: msg.LensState) -> None:
        """Tell the camera of the move that led to a state."""
        with self._telling:
            self._state = state
            self._tell()

    def take(self, world: World) -> None:
        """Feel the world's temperature."""
        # A move told of meanwhile must not be followed by the state before it: the camera would wait on.
        with self._telling:
            self._lens.set_temperature(world.temperature_c)
            self._tell()

    def tell_again(self) -> None:
        """Say again what was said last."""
        with self._telling:
            self._tell()

    def _tell(self) -> None:
        self._publisher.publish(trajectory_to_msg(self._lens.trajectory, self._state, self._instance))


class WorldLink(_WorldListener):
    """Tells a twin's camera of the world."""

    def __init__(
        self, node: LifecycleNode, camera: TwinCamera, health: Health, lane: FastSubscriber | None = None
    ) -> None:
        self._camera = camera
        self.knows_world = False
        """Whether a world was received that can be used."""
        super().__init__(node, health, lane)

    def changed(self) -> None:
        """The camera knows something new."""

    def take(self, world: World) -> None:
        """Show the world to the camera."""
        self._camera.set_world(world)
        self.knows_world = True
        self.changed()


class CameraTwinLink(WorldLink):
    """Tells the twin's camera of the world and of the lens's moves."""

    def __init__(
        self,
        node: LifecycleNode,
        lane: FastSubscriber,
        camera: TwinCamera,
        health: Health,
        *,
        changed: Callable[[], None],
        heard: Callable[[msg.LensState], None],
    ) -> None:
        """Follow world and lens.

        Args:
            node: Owns the topics.
            lane: Serves its topics.
            camera: Looks at the world, through the lens.
            health: Of the node.
            changed: Called when the camera knows something new.
            heard: Called with what the lens's driver said along with a move.
        """
        # In the thread that hears commands: none that came after a new world is obeyed before it is seen.
        super().__init__(node, camera, health, lane)
        self._known: msg.LensState | None = None
        """What the lens's driver said with the newest move."""
        self._tell, self._heard = changed, heard
        lane.listen(msg.TwinLens, "twin/lens", self._on_lens, qos.STATE)

    def changed(self) -> None:
        """The camera knows something new."""
        self._tell()

    def follows(self, lens: LensState | None) -> bool:
        """Whether a picture would show the world, and the lens where its driver says that it went.

        Light needs no message; the twin's does, and the lens's state may overtake it.
        """
        known = self._known
        if not self.knows_world or known is None:
            return False
        return lens is None or (known.driver == lens.driver and known.move >= lens.move)

    def _on_lens(self, message: msg.TwinLens) -> None:
        said, known = message.state, self._known
        if known is not None and said.driver == known.driver and said.sequence < known.sequence:
            return
        self._camera.set_trajectory(
            PowerTrajectory(
                to_ns(message.moved_at),
                message.start_dioptres,
                message.target_dioptres,
                message.time_constant_s,
            )
        )
        self._known = said
        if said.sequence:
            # A driver that has not opened its lens yet has nothing to say of it.
            self._heard(said)
        self.changed()
