"""One channel of a controller, asked through Optotune's package, whose errors get names of ours."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from operator import attrgetter
from typing import Any, TypeVar

from dasha_ros.devices.errors import DeviceLost
from dasha_ros.devices.optotune.icc.boards import IccBoard
from dasha_ros.devices.optotune.icc.library import board_class
from dasha_ros.devices.optotune.icc.replies import NoReply, faults_and_history, lens_type, number, text
from dasha_ros.devices.serial.link import no_permission
from dasha_ros.devices.serial.replies import ProtocolError, ReplyGarbled

T = TypeVar("T")


class IccController:
    """The `Line` to one lens.

    Source of every call: Optotune, optoICC 2.0, its API documentation.

    Args:
        port: Path of the controller's serial port.
        board: Which controller, and which channel.

    Raises:
        DeviceLost: There is no such port, or no controller answers there.
        ExtraMissing: The package is not installed.
    """

    def __init__(self, port: str, board: IccBoard) -> None:
        make = board_class(board)
        self.port, self._board = port, board
        if not os.path.exists(port):
            raise DeviceLost(
                f"there is no {port}. Is the {board.name} plugged in, and does the port's name belong to it?"
            )
        try:
            self._controller = make(port=port)
            self._channel = self._controller.channel[board.channel]
        except Exception as error:  # the package does not say which ones it raises
            raise DeviceLost(_why_not_open(port, board, error)) from error
        _keep_others_out(port)

    def lens_type(self) -> str:
        """What is plugged into the channel; empty: nothing. Asking makes the controller look."""
        return self._ask(
            "the type of the lens",
            self._controller,
            "MiscFeatures.GetDeviceType",
            self._board.channel,
            read=lambda reply, _: lens_type(reply),
        )

    def limits(self) -> tuple[float, float]:
        """Least and greatest focal power of this lens [D]."""
        low = self._number("the least focal power", self._channel, "LensCompensation.GetMinDiopter")
        return low, self._number("the greatest focal power", self._channel, "LensCompensation.GetMaxDiopter")

    def held(self) -> tuple[float, float]:
        """The focal power that the controller was told, and the one that it says the lens has [D]."""
        return self.told(), self.actual()

    def told(self) -> float:
        """The focal power that the controller was told [D]; 0.0 after a restart."""
        return self._number("the focal power that is set", self._channel, "StaticInput.GetFocalPower")

    def actual(self) -> float:
        """The focal power that the controller says the lens has [D]."""
        return self._number("the actual focal power", self._channel, "LensCompensation.GetDiopter")

    def set_focal_power(self, dioptres: float) -> None:
        """Tell a focal power. Nothing is said of what this returns: read it back."""
        self._tell("a focal power", "StaticInput.SetFocalPower", dioptres)

    def follow_commands(self) -> None:
        """Make the lens follow what it is told, in place of an analogue input or a generator."""
        self._tell("the static input", "StaticInput.SetAsInput")

    def take_current_off(self) -> None:
        """Set the current to 0 A.

        Raises:
            ReplyGarbled: Another current is set afterwards.
        """
        self._tell("no current", "StaticInput.SetCurrent", 0.0)
        current = self._number("the current that is set", self._channel, "StaticInput.GetCurrent")
        if current != 0.0:
            raise ReplyGarbled(f"told to take the current off the lens, the controller holds {current:g} A")

    def faults(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The faults of the channel, and what was or can't be attributed, by name."""
        return self._ask(
            "its faults",
            self._controller,
            "Status.GetErrorFlagRegister",
            read=lambda reply, _: faults_and_history(reply, self._board.channel),
        )

    def temperature_c(self) -> float:
        """Temperature of the lens [deg C]."""
        # An ICC-1C has the sensor of its only lens among those of the board.
        where = self._controller if self._board.controller == "icc-1c" else self._channel
        return self._number("the temperature", where, "TemperatureManager.GetDeviceTemperature")

    def firmware(self) -> str:
        """Version of the controller's firmware."""
        parts = ("Major", "Minor", "Revision")
        return ".".join(
            f"{self._number('its firmware', self._controller, f'Status.GetFirmwareVersion{part}'):.0f}"
            for part in parts
        )

    def lens_serial_number(self) -> str:
        """Serial number in the memory of the lens."""
        return self._ask("the lens's serial number", self._channel, "DeviceEEPROM.GetSerialNumber", read=text)

    def wait_quiet(self, quiet_s: float) -> None:
        """Throw away what came late, as far as the package can; it waits for silence by itself."""
        with suppress(Exception):  # what is not thrown away is found when it is read back
            self._controller.Connection.flush()

    def close(self) -> None:
        """Give the port back. Never raises: a controller that is gone needs no closing."""
        with suppress(Exception):
            self._controller.disconnect()

    def _number(self, of: str, system: Any, call: str) -> float:
        return self._ask(of, system, call, read=number)

    def _tell(self, what: str, call: str, *arguments: float) -> None:
        self._ask(what, self._channel, call, *arguments, read=lambda reply, _: None)

    def _ask(self, of: str, system: Any, call: str, *arguments: float, read: Callable[[Any, str], T]) -> T:
        """The answer to one question.

        Args:
            of: What is asked for, for messages.
            system: Where the call begins.
            call: Dotted name of the call.
            arguments: Of the call.
            read: Makes an answer of what it returned.

        Raises:
            DeviceLost: The port is gone.
            ProtocolError: The answer is none; asking again is safe.
        """
        try:
            return read(attrgetter(call)(system)(*arguments), of)
        except ProtocolError:
            self._check_there()
            raise
        except TimeoutError as error:
            raise NoReply(of) from error
        except OSError as error:  # also pyserial's SerialException
            raise DeviceLost(f"{self._gone} ({error}). Check its cable and its power.") from error
        except Exception as error:  # of decoding, most likely; the package does not say
            self._check_there()
            raise ReplyGarbled(
                f"asked for {of}, the package optoICC failed: {type(error).__name__}: {error}"
            ) from error

    def _check_there(self) -> None:
        # The package tries to connect again by itself, and then may return nothing in place of raising.
        if not os.path.exists(self.port):
            raise DeviceLost(f"{self._gone}. Check its cable and its power.")

    @property
    def _gone(self) -> str:
        return f"the Optotune {self._board.name} at {self.port} is gone"


def _keep_others_out(port: str) -> None:
    """Let nobody else open the port while it is open here; the package opens it for everybody.

    Linux forgets this with the last one who closes the port. Root may open it nevertheless.
    """
    import fcntl
    import termios

    with suppress(OSError):
        own = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            fcntl.ioctl(own, termios.TIOCEXCL)
        finally:
            os.close(own)


def _why_not_open(port: str, board: IccBoard, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EBUSY:
        return f"{port} is held by another process. Stop it, or find it with `fuser -v {port}`."
    if number == errno.EACCES:
        return no_permission(port)
    return (
        f"no Optotune {board.name} answers at {port} ({type(error).__name__}: {error}). Check its power,"
        " its cable, and which controller and port are named; `dasha lens list` lists ports."
    )
