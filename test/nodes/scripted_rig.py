"""Camera, lens and perception in the test's node: they answer as the script says and record commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ros_harness import Probe


class ScriptedRig:
    """Takes up each command and answers it with a percept of a grey picture without objects.

    Attributes:
        exposure_us: Exposure time in force [us].
        position: Of the lens, in force.
        commands: Every exposure time and lens position that was commanded, in the order of arrival.
        sees: Whether perception answers.
        ignores: Whether commands are noted but not taken up.
        after_command: Called before a command is taken up, with its value.
    """

    def __init__(self, probe: Probe, exposure_us: float = 1000.0, position: float = 40.0) -> None:
        from dasha_ros import msg
        from dasha_ros.optics.lens_info import LensInfo
        from dasha_ros.optics.profiles import lens_model
        from dasha_ros.ros.transport import qos
        from dasha_ros.ros.transport.conversions import lens_info_to_msg

        self._probe, self._msg = probe, msg
        self.exposure_us, self.position = exposure_us, position
        self.commands: list[float] = []
        self.sees, self.ignores = True, False
        self.after_command: Callable[[float], None] = lambda _: None
        self._exposure_command, self._lens_command = msg.CommandId(), msg.CommandId()
        self._said, self._taken, self._moves = 0, 0, 1
        node = probe.node
        self._lens = node.create_publisher(msg.LensState, "lens/state", qos.STATE)
        lens_info = node.create_publisher(msg.LensInfo, "lens/info", qos.STATE)
        lens_info.publish(lens_info_to_msg(LensInfo.of(lens_model())))
        self._camera = node.create_publisher(msg.CaptureInfo, "camera/state", qos.STATE)
        self._percepts = node.create_publisher(msg.Percept, "perception/percept", qos.PERCEPT)
        self._info = node.create_publisher(msg.PerceptionInfo, "perception/info", qos.STATE)
        self._info.publish(msg.PerceptionInfo(encoder="e", detector="d", labels=["cat"]))
        node.create_subscription(msg.ExposureCommand, "camera/exposure_command", self._expose, qos.REWARD)
        node.create_subscription(msg.LensCommand, "lens/command", self._move, qos.REWARD)

    def tell(self) -> None:
        """Publish the active settings and the percept that answers them."""
        self._said += 1
        self._lens.publish(self._lens_state())
        self._look()

    def _lens_state(self) -> Any:
        return self._msg.LensState(
            driver="the test's lens",
            sequence=self._said,
            move=self._moves,
            command=self._lens_command,
            commanded_position=self.position,
            position=self.position,
            unit="V",
            settled=True,
        )

    def _look(self) -> None:
        capture = self._msg.CaptureInfo(
            driver="the test's camera",
            sequence=self._taken,
            exposure_us=self.exposure_us,
            exposure_command=self._exposure_command,
            lens_driver="the test's lens",
            lens_move=self._moves,
            lens_command=self._lens_command,
        )
        self._taken += 1
        capture.header.stamp = self._probe.node.get_clock().now().to_msg()
        self._camera.publish(capture)
        if self.sees:
            percept = self._msg.Percept(capture=capture, lens=self._lens_state(), width=64, height=64)
            percept.header, percept.encoder = capture.header, "e"
            percept.brisque, percept.mean_grey, percept.histogram_peak = 30.0, 120.0, 120.0
            self._percepts.publish(percept)

    def _expose(self, command: Any) -> None:
        self.commands.append(command.exposure_us)
        if self.ignores:
            return
        self.after_command(command.exposure_us)
        self.exposure_us, self._exposure_command = command.exposure_us, command.id
        self._look()

    def _move(self, command: Any) -> None:
        self.commands.append(command.position)
        if self.ignores:
            return
        self.after_command(command.position)
        self.position, self._lens_command = command.position, command.id
        self._moves += 1
        self.tell()
