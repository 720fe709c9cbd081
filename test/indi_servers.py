"""INDI servers for tests: Debian's simulator of a focuser, and one in this process for what that can't do."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar
from xml.sax.saxutils import quoteattr

import pytest

SIMULATOR = "Focuser Simulator"
FAKE = "Fake Focuser"
STEPS_MAX = 3000
START_S = 90.0
READS_S = 0.1
"""How long a driver reads a focuser's settings after it has connected [s]."""

Server = TypeVar("Server", bound="IndiDriver")


def free_port() -> int:
    """A TCP port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _own_socket(port: int) -> list[str]:
    """Options for a local socket of its own: newer servers share one, and the second of them ends."""
    usage = subprocess.run(["indiserver", "-h"], capture_output=True, check=False).stderr
    return ["-u", f"/tmp/dasha-indiserver-{port}"] if b"-u path" in usage else []


class IndiDriver:
    """``indiserver`` with a focuser's driver that others wrote, which simulates its motor."""

    def __init__(self, program: str, device: str) -> None:
        for needed in ("indiserver", program):
            if shutil.which(needed) is None:
                pytest.skip(f"{needed} is not installed: apt install indi-bin")
        self.port, self.device = free_port(), device
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server, and let its focuser simulate."""
        self._process = subprocess.Popen(
            ["indiserver", "-p", str(self.port), *_own_socket(self.port), self._program],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_S
        while True:
            try:
                client = socket.create_connection(("127.0.0.1", self.port), 1.0)
                break
            except OSError:
                assert time.monotonic() < deadline, "indiserver does not listen"
                assert self._process.poll() is None, "indiserver has ended"
        with client:
            client.settimeout(START_S)
            client.sendall(b'<getProperties version="1.7"/>')
            self._prepare(client)

    def stop(self) -> None:
        """End the server; its focuser forgets where it was."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(START_S)
            self._process = None

    def _prepare(self, client: socket.socket) -> None:
        until(client, b'name="SIMULATION".*?</defSwitchVector>')
        client.sendall(_new(self.device, "Switch", "SIMULATION", "ENABLE", "On"))
        until(client, b'name="SIMULATION" state="Ok"')


class FocuserSimulator(IndiDriver):
    """``indi_simulator_focus``: with travel time and temperature, at a speed that suits tests."""

    def __init__(self, step_us: int = 5) -> None:
        super().__init__("indi_simulator_focus", SIMULATOR)
        self._step_us = step_us

    def _prepare(self, client: socket.socket) -> None:
        def set_number(vector: str, member: str, value: int) -> None:
            client.sendall(_new(SIMULATOR, "Number", vector, member, str(value)))
            until(client, f'name="{vector}" state="Ok"'.encode())

        until(client, b'name="CONNECTION".*?</defSwitchVector>')
        client.sendall(_new(SIMULATOR, "Switch", "CONNECTION", "CONNECT", "On"))
        until(client, b'name="DELAY".*?</defNumberVector>')
        set_number("DELAY", "DELAY_VALUE", 0)
        set_number("FOCUS_MAX", "FOCUS_MAX_VALUE", STEPS_MAX)
        set_number("ABS_FOCUS_POSITION", "FOCUS_ABSOLUTE_POSITION", 1000)
        set_number("DELAY", "DELAY_VALUE", self._step_us)


def until(client: socket.socket, pattern: bytes) -> None:
    """Read from a server until it has said something."""
    heard = b""
    while not re.search(pattern, heard, re.DOTALL):
        received = client.recv(65536)
        assert received, "indiserver has hung up"
        heard += received


def _new(device: str, kind: str, vector: str, member: str, value: str) -> bytes:
    return (
        f'<new{kind}Vector device="{device}" name="{vector}">'
        f'<one{kind} name="{member}">{value}</one{kind}></new{kind}Vector>'
    ).encode()


@contextmanager
def simulator(step_us: int = 5) -> Iterator[FocuserSimulator]:
    """Debian's simulator, running; without it the test is skipped."""
    yield from _running(FocuserSimulator(step_us))


@contextmanager
def simulating(program: str, device: str) -> Iterator[IndiDriver]:
    """The driver of a focuser that can be bought, running, without the focuser."""
    yield from _running(IndiDriver(program, device))


def _running(server: Server) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        server.stop()


class FakeFocuser:
    """A server in this process, with a focuser that can do everything wrong.

    Attributes:
        commands: All positions that were asked for.
        felt: Where the optics are: they follow the motor after the backlash.
    """

    def __init__(self, backlash: int = 0) -> None:
        self.commands: list[int] = []
        self.pressed: list[str] = []
        self.at, self.felt, self._backlash = 500, 500.0, backlash
        self.connected, self.refuses_connection = False, False
        self.is_focuser, self.state_after = True, "Ok"
        self.silent, self.stuck, self.misses = False, False, 0
        self.is_slow, self.is_halfway = False, threading.Event()
        """Whether a move gets half-way and then takes for ever; that it is half-way."""
        self.can_abort = True
        self.extra_devices: tuple[str, ...] = ()
        self.home_to: int | None = None
        self.maximum, self.first_maximum = STEPS_MAX, STEPS_MAX
        """The range's end, and what it says of it when it connects, before it has asked the focuser."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._clients: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the server."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()

    def hang_up(self) -> None:
        """Close all connections."""
        while self._clients:
            client = self._clients.pop()
            with suppress(OSError):  # the other end was first
                client.shutdown(socket.SHUT_RDWR)
            client.close()

    def send(self, text: str) -> None:
        """Tell all clients something."""
        for client in list(self._clients):
            with suppress(OSError):  # it has hung up
                client.sendall(text.encode())

    def disconnect(self) -> None:
        """The driver lets the focuser go, as another client may ask of it."""
        self.connected = False
        self.send(self._connection("set"))

    def arrive(self, at: int, state: str = "Ok") -> None:
        """The motor is somewhere."""
        self.at = at
        self.felt = min(max(self.felt, at - self._backlash), float(at))
        self.send(self._position("set", state))

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._clients.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        pending = ""
        while True:
            try:
                received = client.recv(65536)
            except OSError:
                return
            if not received:
                return
            pending += received.decode()
            while found := re.search(r"<getProperties[^>]*/>|<(new\w+Vector)\b.*?</\1>", pending, re.DOTALL):
                pending = pending[found.end() :]
                if not self.silent:
                    self._answer(found[0])

    def _answer(self, asked: str) -> None:
        name = _attribute(asked, "name")
        if asked.startswith("<getProperties"):
            if (device := _attribute(asked, "device")) in ("", FAKE):
                for vector, text in self._vectors().items():
                    if name in ("", vector):
                        self.send(text)
            if not device:
                for other in self.extra_devices:
                    self.send(_switch("def", other, "CONNECTION", "Idle", {"CONNECT": False}))
        elif name == "CONNECTION":
            self.connected = not self.refuses_connection
            if self.refuses_connection:
                self.send(f'<message device={quoteattr(FAKE)} message="no such serial port"/>')
            self.send(self._connection("set"))
            if self.connected:
                true, self.maximum = self.maximum, self.first_maximum
                for text in list(self._vectors().values())[1:]:
                    self.send(text)
                if true != self.first_maximum:
                    # As a driver that asks its focuser's hub, and tells its own range twice before.
                    time.sleep(READS_S)
                    self.send(self._position("def", "Ok"))
                    time.sleep(READS_S)
                    self.maximum = true
                    self.send(self._position("def", "Ok"))
                self.maximum = true
        elif name == "ABS_FOCUS_POSITION":
            self._move(round(float(re.search(r">\s*([-\d.]+)\s*<", asked)[1])))
        else:
            self.pressed.append(name)
            if name == "FOCUS_ABORT_MOTION" and self.is_slow:
                self.is_slow = False
                self.arrive(self.at)
            if self.home_to is not None and name == "FOCUS_HOME":
                self.send(self._home("set", "Busy"))
                self.arrive(self.home_to)
                self.send(self._home("set", "Ok"))

    def _move(self, target: int) -> None:
        self.commands.append(target)
        self.send(self._position("set", "Busy"))
        if self.stuck:
            return
        self.arrive((self.at + target) // 2, "Busy")
        if self.is_slow:
            self.is_halfway.set()
            return
        self.arrive(target + self.misses, self.state_after)

    def _vectors(self) -> dict[str, str]:
        vectors = {"CONNECTION": self._connection("def")}
        if self.connected and self.is_focuser:
            vectors["ABS_FOCUS_POSITION"] = self._position("def", "Ok")
            if self.can_abort:
                vectors["FOCUS_ABORT_MOTION"] = _switch(
                    "def", FAKE, "FOCUS_ABORT_MOTION", "Idle", {"ABORT": False}
                )
            if self.home_to is not None:
                vectors["FOCUS_HOME"] = self._home("def", "Idle")
        return vectors

    def _home(self, verb: str, state: str) -> str:
        return _switch(verb, FAKE, "FOCUS_HOME", state, {"GO": state == "Busy"})

    def _connection(self, verb: str) -> str:
        members = {"CONNECT": self.connected, "DISCONNECT": not self.connected}
        return _switch(verb, FAKE, "CONNECTION", "Alert" if self.refuses_connection else "Ok", members)

    def _position(self, verb: str, state: str) -> str:
        kind = "def" if verb == "def" else "one"
        rest = f' format="%g" min="0" max="{self.maximum}" step="1"' if verb == "def" else ""
        more = ' perm="rw" label="x" group="x"' if verb == "def" else ""
        return (
            f'<{verb}NumberVector device="{FAKE}" name="ABS_FOCUS_POSITION" state="{state}"{more}>'
            f'<{kind}Number name="FOCUS_ABSOLUTE_POSITION"{rest}>{self.at}</{kind}Number>'
            f"</{verb}NumberVector>"
        )


def _switch(verb: str, device: str, name: str, state: str, members: dict[str, bool]) -> str:
    kind = "def" if verb == "def" else "one"
    more = ' perm="rw" rule="OneOfMany" label="x" group="x"' if verb == "def" else ""
    inside = "".join(
        f'<{kind}Switch name="{member}">{"On" if on else "Off"}</{kind}Switch>'
        for member, on in members.items()
    )
    tag = f"{verb}SwitchVector"
    return f'<{tag} device="{device}" name="{name}" state="{state}"{more}>{inside}</{tag}>'


def _attribute(element: str, name: str) -> str:
    head = element.partition(">")[0]
    found = re.search(rf"\b{name}=\"([^\"]*)\"", head)
    return found[1] if found else ""
