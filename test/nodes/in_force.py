"""Commands exposure and lens of a graph, and sees what is in force."""

from __future__ import annotations

from collections.abc import Callable

from graph import Graph
from ros_harness import command

LISTENERS = 4
"""Subscribers of each command: its driver, perception and both agents."""


class InForce:
    """The settings of camera and lens, as other nodes see them."""

    def __init__(self, graph: Graph) -> None:
        from dasha_ros import msg
        from dasha_ros.ros.transport import qos

        self.graph, self.msg = graph, msg
        probe = graph.probe
        self.lens = probe.subscribe(msg.LensState, "lens/state", qos.STATE)
        self.captures = probe.subscribe(msg.CaptureInfo, "camera/capture", qos.CAPTURE)
        self.exposure_command = probe.publisher(
            msg.ExposureCommand, "camera/exposure_command", qos.COMMAND, matched=LISTENERS
        )
        self.lens_command = probe.publisher(msg.LensCommand, "lens/command", qos.COMMAND, matched=LISTENERS)

    def set(self, exposure_us: float, position: float) -> None:
        """Command both and wait until both drivers have obeyed.

        The values alone prove nothing if they were active before: a command that the middleware delivers late
        would then take the actuator over during the goal that follows.
        """
        expose = command(self.msg.ExposureCommand, exposure_us=exposure_us)
        move = command(self.msg.LensCommand, position=position)
        self.exposure_command.publish(expose)
        self.lens_command.publish(move)

        def obeyed() -> bool:
            return (
                bool(self.captures and self.lens)
                and self.captures[-1].exposure_command == expose.id
                and self.lens[-1].command == move.id
            )

        self._wait(obeyed, f"the commands of {exposure_us} us and {position} V")

    def until(self, exposure_us: float, position: float) -> None:
        """Wait until these settings are active."""

        def are() -> bool:
            return self.now() == (exposure_us, position)

        self._wait(are, f"{exposure_us} us and {position} V in force")

    def _wait(self, holds: Callable[[], bool], wanted: str) -> None:
        try:
            self.graph.probe.until(holds, wanted)
        except AssertionError as error:
            raise AssertionError(f"{error}; are {self.now()}") from None

    def now(self) -> tuple[float | None, float | None]:
        """Exposure [us] and position in force."""
        return (
            self.captures[-1].exposure_us if self.captures else None,
            self.lens[-1].commanded_position if self.lens else None,
        )
