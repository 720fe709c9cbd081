"""Notices that another node, or a driver itself, took an actuator over during an episode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from dasha_ros.control.rig import RigError
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.ros.actuation.settlement import ActuatorReport, Sent

Actuator = Literal["exposure", "lens"]


@dataclass(frozen=True)
class Override:
    """How an episode ends if its command was overridden."""

    actuator: Actuator
    lost: ErrorCode
    """If the actuator's own driver did it."""
    by_driver: str
    by_other: str

    def error(self, report: ActuatorReport) -> RigError:
        """The end of the episode, by the command that is active instead."""
        if report.is_the_drivers_own:
            return RigError(self.lost, self.by_driver)
        return RigError(ErrorCode.COMMAND_OVERRIDDEN, self.by_other)


EXPOSURE_TAKEN = Override(
    "exposure",
    ErrorCode.CAMERA_LOST,
    "the camera driver restored the exposure",
    "another node commanded the exposure meanwhile",
)
LENS_TAKEN = Override(
    "lens",
    ErrorCode.LENS_LOST,
    "the lens driver restored the lens",
    "another node moved the lens meanwhile",
)


def overriding(report: ActuatorReport | None, sent: Sent) -> ActuatorReport | None:
    """The driver's report, if it names a command that overrides the one that was sent."""
    return report if report is not None and sent.is_overridden_by(report.command) else None


class Takeover:
    """Remembers that an actuator obeyed another node after it had obeyed this episode.

    Another node may command while a policy decides. Its command is then older than the policy's next one and
    would be overridden without a word. Commands from before the episode do not count, even if their driver
    reports them late.
    """

    def __init__(self, is_ours: Callable[[str], bool]) -> None:
        """Follow an episode of the commands of the senders that ``is_ours`` admits."""
        self._is_ours = is_ours
        self._obeyed, self._taken = set[str](), dict[str, ActuatorReport]()

    def begin(self) -> None:
        """Begin a new episode."""
        self._obeyed, self._taken = set(), {}

    def heed(self, exposure: ActuatorReport | None, lens: ActuatorReport | None) -> None:
        """Take in the newest reports of both drivers."""
        for actuator, said in (("exposure", exposure), ("lens", lens)):
            if said is None or not said.command.sender:
                continue
            if self._is_ours(said.command.sender):
                self._obeyed.add(actuator)
            elif actuator in self._obeyed and not said.is_the_drivers_own:
                self._taken.setdefault(actuator, said)

    def of(self, actuator: Actuator) -> ActuatorReport | None:
        """The first command of another node that this actuator obeyed; ``None``: it obeyed none."""
        return self._taken.get(actuator)
