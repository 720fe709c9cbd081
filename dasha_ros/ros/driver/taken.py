"""What a driver's parameters were before a back end changed them, and giving them back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.devices.notes import RoleNotes
from dasha_ros.ros.driver.port import DriverPort
from dasha_ros.ros.driver.table import Value
from dasha_ros.system.folders import user_folder

FOLDER = "~/.ros/dasha/drivers"
"""Where the notes are, by ROS domain: nodes of one name in two domains are two drivers."""


def notes_folder(domain: int) -> Path:
    """The folder of the notes on the drivers of a ROS domain."""
    return user_folder(FOLDER) / f"domain-{domain}"


class TakenParameters:
    """Parameters of a driver that a back end changes while it is open, and that come back afterwards.

    Automatic functions are the first of them: they are off while the back end is open. What they were is
    noted on disk before they are changed: so whoever opens the driver after a process that was killed gives
    back what that process had found.
    """

    def __init__(self, off: Mapping[str, Value], notes: RoleNotes | None) -> None:
        """Take nothing yet.

        Args:
            off: Parameters and the values that switch them off, in the order in which they are set.
            notes: Where what they were is noted; ``None``: nowhere.
        """
        self._off, self._notes = off, notes
        self._before: dict[str, Value] = {}
        self.not_given_back: tuple[str, ...] = ()
        """Parameters that the driver did not take back when it was closed last."""

    def note(self, port: DriverPort, name: str) -> None:
        """Note what a parameter is, before it is changed for the first time.

        Raises:
            DeviceLost: The driver is gone.
        """
        if name not in self._before:
            self._before |= port.get([name])
            self._write()

    def take(self, port: DriverPort, driver: str) -> None:
        """Switch automatic functions off, after noting what they were.

        Raises:
            DeviceLost: The driver does not have one of them, or refused, or another process has this role.
        """
        if self._notes is not None:
            self._before = {
                str(name): value
                for name, value in self._notes.begin().items()
                if isinstance(value, bool | int | float | str)
            }
        has = port.parameters(list(self._off))
        if missing := [name for name in self._off if name not in has]:
            raise DeviceLost(
                f"{driver} has no parameter {', '.join(missing)}, which switches an automatic function off: "
                "compare `ros2 param list` with the table of drivers"
            )
        now = port.get(list(self._off))
        if any(now.get(name) != value for name, value in self._off.items()):
            # The driver was started again, or somebody set it: the notes are of another life.
            self._before = {}
        try:
            for name, value in self._off.items():
                if now.get(name) != value:
                    if name in now:
                        self._before[name] = now[name]
                        self._write()
                    port.set({name: value})
        except DeviceError as error:
            raise DeviceLost(
                f"{error}; without it, {driver} would set exposure or focus by itself"
            ) from error

    def give_back(self, port: DriverPort) -> None:
        """Set all to what they were, the last one first, and let others have the role. Never raises.

        What the driver refuses, and all that is left when it is lost, stays noted for the next time. A driver
        that was started again has its defaults, and then the notes mean nothing.
        """
        failed: dict[str, Value] = {}
        left = list(self._before.items())
        while left:
            name, value = left.pop()
            try:
                port.set({name: value})
            except DeviceLost:
                left.append((name, value))
                break
            except DeviceError:
                failed[name] = value
        self._before = dict(left) | failed
        self._write()
        self._before, self.not_given_back = {}, tuple(failed)
        if self._notes is not None:
            self._notes.end()

    def _write(self) -> None:
        if self._notes is not None and self._notes.is_begun:
            self._notes.write(self._before)
