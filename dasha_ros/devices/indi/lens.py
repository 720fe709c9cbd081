"""A motor focuser behind an INDI server as a lens."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, NoReturn

from dasha_ros.devices.camera import never
from dasha_ros.devices.errors import DeviceError, DeviceLost, DeviceTimeout, MoveOvertaken
from dasha_ros.devices.indi.discovery import find_device
from dasha_ros.devices.indi.server import IndiServer, Vector
from dasha_ros.devices.indi.settings import IndiSettings
from dasha_ros.devices.lens import LensReading, LimitedLens
from dasha_ros.freshness.clock import Clock, SteadyClock
from dasha_ros.optics.lens import LensProfile
from dasha_ros.optics.lens_info import EITHER_SIDE, LensInfo

UNIT = "steps"
# Names of the INDI library's standard properties for focusers.
CONNECTION, CONNECT = "CONNECTION", "CONNECT"
POSITION, STEPS = "ABS_FOCUS_POSITION", "FOCUS_ABSOLUTE_POSITION"
ABORT = "FOCUS_ABORT_MOTION", "ABORT"
TEMPERATURE = "FOCUS_TEMPERATURE", "TEMPERATURE"
VERSION = "DRIVER_INFO", "DRIVER_VERSION"
ON = "On"
OVERTAKEN = Vector("Busy", {}, {}, 0)
"""What a wait finds when the move that it waits for has become pointless."""
SILENT_QUESTIONS = 2
"""After this many questions in a row without an answer the focuser counts as lost."""


class IndiLens(LimitedLens):
    """A `Lens` whose positions are the steps of a focuser's motor.

    A move returns when the motor has stopped at the position that was asked for; an acknowledgement
    counts for nothing. After a loss, `open` goes back to the last position.
    """

    def __init__(
        self, settings: IndiSettings, clock: Clock | None = None, profile: LensProfile | None = None
    ) -> None:
        """Not connected yet.

        Args:
            settings: Which focuser.
            clock: On which moves settle.
            profile: The measured map of this lens; ``None``: it has none.

        Raises:
            ValueError: The profile's positions are no steps.
        """
        if profile is not None and profile.unit != UNIT:
            raise ValueError(
                f"the profile {profile.name} is in {profile.unit}, and a focuser takes {UNIT}: measure one"
                " with `dasha calibrate lens`"
            )
        self.settings = settings
        self._profile = profile
        self._clock = clock or SteadyClock()
        self._server = IndiServer(*settings.address, settings.reply_timeout_s)
        self._device = settings.device
        self._info: LensInfo | None = None
        self._range: tuple[float, float] | None = None
        """The steps that the driver allowed when the focuser was opened; ``None``: it is being opened."""
        self._in_force: int | None = None
        self._attempted: int | None = None
        """Asked for, but not reached yet as far as is known."""
        self._homed, self._silent = False, 0
        """Questions in a row without an answer."""
        self._taken_up = False
        """Whether the last motion came from the wanted side, as far as is known."""
        self._rest_ns = 0
        self._overtaken: Callable[[], bool] = never
        self._may_stop = False
        """Whether the motion in progress is a move, which something newer may stop."""

    def heed(self, overtaken: Callable[[], bool]) -> None:
        """See `InterruptibleLens.heed`; a focuser without ``FOCUS_ABORT_MOTION`` goes on to its end."""
        self._overtaken = overtaken

    @property
    def info(self) -> LensInfo:
        """Steps, from and to where the focuser says, and the profile's map if there is one.

        Raises:
            DeviceLost: It was never opened.
        """
        if self._info is None:
            raise DeviceLost("the range of a focuser is known once it was opened")
        return self._info

    def open(self) -> LensReading:
        """Connect to the server and the focuser, and read where it is.

        The first time, it finds its reference if ``home`` says so, and stays there. Later, it goes back to
        the last position.

        Raises:
            DeviceLost: No server, no such focuser, or it does not work.
        """
        self.close()
        self._taken_up, self._silent, self._range = False, 0, None
        self._server.open()
        try:
            self._device = find_device(self._server, self.settings.device)
            self._connect_device()
            if self.settings.home and not self._homed:
                self._find_reference()
            at = self._position()
            self._info = self._described(at)
            self._range = at.limits.get(STEPS)
            if self._in_force is None:
                self._in_force = round(at.number(STEPS))
            elif self._in_force != round(at.number(STEPS)):
                inside = min(max(self._in_force, self._info.position_min), self._info.position_max)
                self._travel(round(at.number(STEPS)), round(inside))
                self._in_force = round(inside)
            self._attempted = None
            return self.read()
        except DeviceError as error:
            self.close()
            if isinstance(error, DeviceLost):
                raise
            raise DeviceLost(
                f"the focuser {self._device or 'at ' + self._server.address}: {error}"
            ) from error

    def close(self) -> None:
        """Leave the focuser where it is, and the server's connection to it as it is."""
        self._server.close()

    def _move(self, position: float) -> LensReading:
        target = round(position)
        self._attempted, self._may_stop = target, True
        try:
            self._travel(self._in_force if self._in_force is not None else target, target)
        finally:
            self._may_stop = False
        self._in_force, self._attempted = target, None
        return self.read()

    def read(self) -> LensReading:
        """Where the motor is, asked anew, and the time until the picture rests.

        Raises:
            DeviceTimeout: No answer in time.
            DeviceLost: Server or focuser is gone, or somebody else moved it.
        """
        at = self._position()
        steps = round(at.number(STEPS))
        if steps == self._attempted:
            # It arrived later than it was waited for.
            self._in_force, self._attempted = steps, None
        if self._in_force is not None and steps != self._in_force:
            raise DeviceLost(
                f"{self._device} is at {steps} steps, not at {self._in_force}: it restarted by itself or"
                " someone else moved it. Opening it anew brings it back."
            )
        faults = ("the focuser reports Alert",) if at.state == "Alert" else ()
        rest_s = max(0.0, (self._rest_ns - self._clock.now_ns()) / 1e9)
        return LensReading(float(steps), rest_s, faults)

    def describe(self) -> dict[str, Any]:
        """Server, focuser, version, temperature and what its driver said last."""
        server, device = self._server, self._device
        temperature = server.vector(device, TEMPERATURE[0])
        degrees = temperature.number(TEMPERATURE[1]) if temperature else math.nan
        version = server.vector(device, VERSION[0])
        return {
            "hardware_id": f"{device or 'focuser'} at {server.address}",
            "model": f"INDI {device}".strip(),
            "port": server.address,
            "firmware": version.values.get(VERSION[1], "unknown").strip() if version else "unknown",
            "unit": UNIT,
            "position_in_force": self._in_force,
            "temperature_c": degrees if math.isfinite(degrees) else None,
            "said": server.said(device),
        }

    def _connect_device(self) -> None:
        server, device = self._server, self._device
        if server.ask(device, CONNECTION).values.get(CONNECT) != ON:
            before = server.send(device, CONNECTION, {CONNECT: ON})
            answer = server.heard(device, CONNECTION, before)
            while answer.state == "Busy":
                answer = server.heard(device, CONNECTION, answer.heard)
            if answer.values.get(CONNECT) != ON:
                raise DeviceLost(
                    f"{device} can't be connected{self._reason()}. Check its power, its cable, and the port"
                    " that its driver uses."
                )
        server.wait(lambda: server.vector(device, POSITION), f"{POSITION}: {device} may be no focuser")
        # A driver that has just connected tells a range of its own first, and the focuser's when it has read
        # it. It answers a question once it is through with that.
        server.ask(device, CONNECTION)

    def _described(self, at: Vector) -> LensInfo:
        low, high = at.limits.get(STEPS, (math.nan, math.nan))
        profile, settings = self._profile, self.settings
        if profile is not None:
            low, high = max(low, math.ceil(profile.position_min)), min(high, math.floor(profile.position_max))
        if not low < high:
            raise DeviceLost(
                f"{self._device} takes positions from {low:g} to {high:g} steps"
                f"{' with this profile' if profile else ''}, which is no range. Set its greatest position."
            )
        if profile is None:
            info = LensInfo(UNIT, low, high, settle_s=settings.settle_s)
        else:
            info = LensInfo.of(profile, limits=(low, high), settle_s=settings.settle_s)
        # The play that approaching from one side takes up is nobody else's worry.
        play = float(settings.backlash_steps) if settings.approach == EITHER_SIDE else 0.0
        return replace(info, resolution=1.0, play=play, approach=settings.approach)

    def _find_reference(self) -> None:
        (name, _, switch), server, device = self.settings.home.partition("."), self._server, self._device
        try:
            server.wait(lambda: server.vector(device, name), name)
        except DeviceTimeout as error:
            raise DeviceLost(f"{device} has no property {name}, which `indi_home` names") from error
        before = server.send(device, name, {switch: ON})
        self._arrived(name, before, lambda vector: vector.state in ("Ok", "Idle"), "its reference")
        self._homed = True

    def _position(self) -> Vector:
        self._check_connected()
        try:
            at = self._server.ask(self._device, POSITION)
        except DeviceTimeout as error:
            self._check_connected()
            self._silent += 1
            if self._silent < SILENT_QUESTIONS:
                raise
            raise DeviceLost(f"{error}, {self._silent} times in a row") from error
        self._silent = 0
        if not math.isfinite(at.number(STEPS)):
            raise DeviceTimeout(f"{self._device} does not say where it is")
        return at

    def _check_connected(self) -> None:
        """The server lives on when a focuser does not.

        Raises:
            DeviceLost: The server has told that the focuser is no longer there, or has another range.
        """
        server, device = self._server, self._device
        connection = server.vector(device, CONNECTION)
        if connection is not None and connection.values.get(CONNECT) != ON:
            raise DeviceLost(
                f"{device} was disconnected, by its driver or by another client{self._reason()}. Opening it"
                " anew connects it."
            )
        at = server.vector(device, POSITION)
        if self._range is not None and at is not None and at.limits.get(STEPS, self._range) != self._range:
            low, high = at.limits[STEPS]
            raise DeviceLost(
                f"{device} takes positions from {low:g} to {high:g} steps now, and took {self._range[0]:g} to"
                f" {self._range[1]:g} when it was opened. Opening it anew learns the new range."
            )

    def _travel(self, now: int, target: int) -> None:
        """Go somewhere, from the side that is wanted."""
        side, backlash = self.settings.approach, self.settings.backlash_steps
        from_there = (target - now) * side >= 0 and self._taken_up
        if side != EITHER_SIDE and backlash and not from_there:
            beyond = min(max(target - side * backlash, self.info.position_min), self.info.position_max)
            self._taken_up = False
            self._go(round(beyond))
        self._go(target)
        self._taken_up = True

    def _go(self, target: int) -> None:
        """Move, and wait until the motor has stopped there."""
        self._check_connected()
        before = self._server.send(self._device, POSITION, {STEPS: str(target)})
        self._arrived(
            POSITION,
            before,
            lambda vector: vector.state != "Busy" and round(vector.number(STEPS)) == target,
            f"{target} steps",
        )
        self._rests()

    def _arrived(self, name: str, after: int, done: Callable[[Vector], bool], where: str) -> None:
        """Wait until a motion ends; stops it when it takes too long."""
        server, device = self._server, self._device

        def ended() -> Vector | None:
            vector = server.vector(device, name)
            if vector is None or vector.heard <= after or vector.state == "Busy":
                can_stop = self._may_stop and server.vector(device, ABORT[0]) is not None
                return OVERTAKEN if can_stop and self._overtaken() else None
            return vector if done(vector) or vector.state == "Alert" else None

        try:
            vector = server.wait(ended, f"arrival of {device} at {where}", self.settings.travel_timeout_s)
        except DeviceTimeout:
            with suppress(DeviceError):
                server.send(device, ABORT[0], {ABORT[1]: ON})
            raise
        if vector is OVERTAKEN:
            self._halt()
        if not done(vector):
            raise DeviceTimeout(f"{device} did not go to {where}{self._reason()}")

    def _halt(self) -> NoReturn:
        """Stop the motor, and learn where it stands then."""
        server, device = self._server, self._device
        server.send(device, ABORT[0], {ABORT[1]: ON})
        at = server.ask(device, POSITION)
        while at.state == "Busy":
            at = server.heard(device, POSITION, at.heard)
        self._in_force, self._attempted = round(at.number(STEPS)), None
        self._rests()
        raise MoveOvertaken(f"{device} was stopped at {self._in_force} steps for a newer command")

    def _reason(self) -> str:
        said = self._server.said(self._device).strip()
        return f": its driver says {said!r}" if said else ""

    def _rests(self) -> None:
        """The motor has stopped, and the optics tremble for a while."""
        self._rest_ns = self._clock.now_ns() + round(self.settings.settle_s * 1e9)
