"""The node that holds the digital twin's light, scene and distances, and its clock if that runs faster."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

from rclpy.clock import Clock, ClockType
from rosgraph_msgs.msg import Clock as ClockMessage

from dasha_ros import msg
from dasha_ros.assets.catalogue import AssetMissing
from dasha_ros.config import TwinWorldConfig
from dasha_ros.ros.node.node import DashaNode
from dasha_ros.ros.node.run import run
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.stamps import to_stamp
from dasha_ros.twin.check import check_scene
from dasha_ros.twin.scene import SceneError

_TICK_S = 0.01
"""Real time between ``/clock`` messages [s]. It limits the delay, not the accuracy: stamps are computed."""


class TwinWorld(DashaNode[TwinWorldConfig]):
    """Publishes ``twin/world``, latched, whenever one of its parameters changes.

    Invalid scenes and distances are refused when they are set. With a ``speed`` other than 1 it also
    publishes ``/clock``: exposures and settling pass faster, and everything else is computed as usual.
    Simulated time is the machine's uptime times the speed, so a restarted `TwinWorld` never sets the clock
    back, which would make all commands look old. To change the speed, restart the whole graph.
    """

    config_model = TwinWorldConfig

    def __init__(self) -> None:
        super().__init__("twin_world")
        self.health.show("world", lambda: {"hardware_id": "twin world", "scene": self.config.scene})
        self._publisher = self.create_publisher(msg.TwinWorld, "twin/world", qos.STATE)
        if self.config.speed != 1.0:
            self._clock_publisher = self.create_publisher(ClockMessage, "/clock", qos.CLOCK)
            self.create_timer(_TICK_S, self._tick, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def configure(self) -> None:
        """Check the files of the scene that was given at start.

        Raises:
            SceneError: One of its files can't be used.
        """
        _check_files(self.config.scene)

    def refuse_change(self, config: TwinWorldConfig) -> str:
        """Refuse a scene with a picture or map that can't be read."""
        if config.scene != self.config.scene:
            try:
                _check_files(config.scene)
            except SceneError as error:
                return str(error)
        return ""

    def activate(self) -> None:
        """Publish the world."""
        self.exclusive_topics.add("twin/world", lambda: self.reconfigure(self.config))
        self.health.set_activity(self._activity)
        self.reconfigure(self.config)

    def reconfigure(self, config: TwinWorldConfig) -> None:
        """Publish the changed world to camera and lens."""
        if not self.is_active:
            return
        world = msg.TwinWorld(
            node=self.instance,
            scene=config.scene,
            illuminance_lx=float(config.illuminance_lx),
            distances_m=[float(d) for d in config.distances_m],
            temperature_c=float(config.temperature_c),
            lamp_hz=float(config.lamp_hz),
            lamp_depth=float(config.lamp_depth),
        )
        world.header.stamp = to_stamp(self.clock.now_ns())
        self._publisher.publish(world)

    def _activity(self) -> str:
        config = self.config
        lamp = f" from a lamp of {config.lamp_hz:g} Hz" if config.lamp_hz else ""
        return f"{config.scene} at {config.illuminance_lx:g} lx{lamp}"

    def _tick(self) -> None:
        now_ns = int(time.monotonic_ns() * self.config.speed)
        if self.context.ok():
            self._clock_publisher.publish(ClockMessage(clock=to_stamp(now_ns)))


def _check_files(scene: str) -> None:
    with suppress(AssetMissing):  # The camera's machine may have it, or its driver will say so.
        check_scene(scene)


def main(args: Sequence[str] | None = None) -> None:
    """Run the twin's world."""
    run(TwinWorld, args)


if __name__ == "__main__":
    main()
