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
from xml.sax.saxutils import quoteattr

import pytest

SIMULATOR = "Focuser Simulator"
FAKE = "Fake Focuser"
STEPS_MAX = 3000
START_S = 20.0


def free_port() -> int:
    """A TCP port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _own_socket(port: int) -> list[str]:
    """Options for a local socket of its own: newer servers share one, and the second of them ends."""
    usage = subprocess.run(["indiserver", "-h"], capture_output=True, check=False).stderr
    return ["-u", f"/tmp/dasha-indiserver-{port}"] if b"-u path" in usage else []


class FocuserSimulator:
    """``indiserver`` with ``indi_simulator_focus``: written by others, with travel time and temperature."""

    def __init__(self, step_us: int = 5) -> None:
        for program in ("indiserver", "indi_simulator_focus"):
            if shutil.which(program) is None:
                pytest.skip(f"{program} is not installed: apt install indi-bin")
        self.port = free_port()
        self._step_us = step_us
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server, and give its focuser a speed and a range that suit tests."""
        self._process = subprocess.Popen(
            ["indiserver", "-p", str(self.port), *_own_socket(self.port), "indi_simulator_focus"],
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
            heard = b""

            def until(pattern: bytes) -> None:
                nonlocal heard
                while not re.search(pattern, heard, re.DOTALL):
                    received = client.recv(65536)
                    assert received, "indiserver has hung up"
                    heard += received
                heard = b""

            client.sendall(b'<getProperties version="1.7"/>')
            until(b'name="CONNECTION".*?</defSwitchVector>')
            client.sendall(_new("Switch", "CONNECTION", "CONNECT", "On"))
            until(b'name="DELAY".*?</defNumberVector>')
            client.sendall(_new("Number", "DELAY", "DELAY_VALUE", "0"))
            until(b'name="DELAY" state="Ok"')
            client.sendall(_new("Number", "FOCUS_MAX", "FOCUS_MAX_VALUE", str(STEPS_MAX)))
            until(b'name="FOCUS_MAX" state="Ok"')
            client.sendall(_new("Number", "ABS_FOCUS_POSITION", "FOCUS_ABSOLUTE_POSITION", "1000"))
            until(b'name="ABS_FOCUS_POSITION" state="Ok"')
            client.sendall(_new("Number", "DELAY", "DELAY_VALUE", str(self._step_us)))
            until(b'name="DELAY" state="Ok"')

    def stop(self) -> None:
        """End the server; its focuser forgets where it was."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(START_S)
            self._process = None


def _new(kind: str, vector: str, member: str, value: str) -> bytes:
    return (
        f'<new{kind}Vector device="{SIMULATOR}" name="{vector}">'
        f'<one{kind} name="{member}">{value}</one{kind}></new{kind}Vector>'
    ).encode()


@contextmanager
def simulator(step_us: int = 5) -> Iterator[FocuserSimulator]:
    """A running simulator.

    Raises:
        pytest.skip.Exception: It is not installed.
    """
    server = FocuserSimulator(step_us)
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
        self.extra_devices: tuple[str, ...] = ()
        self.home_to: int | None = None
        self.maximum = STEPS_MAX
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
                for text in list(self._vectors().values())[1:]:
                    self.send(text)
        elif name == "ABS_FOCUS_POSITION":
            self._move(round(float(re.search(r">\s*([-\d.]+)\s*<", asked)[1])))
        else:
            self.pressed.append(name)
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
        self.arrive(target + self.misses, self.state_after)

    def _vectors(self) -> dict[str, str]:
        vectors = {"CONNECTION": self._connection("def")}
        if self.connected and self.is_focuser:
            vectors["ABS_FOCUS_POSITION"] = self._position("def", "Ok")
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
