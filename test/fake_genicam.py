"""Aravis' own fake GigE Vision camera, a program of Debian's aravis-tools: real packets over loopback."""

from __future__ import annotations

import fcntl
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ros_harness import wait_for

from dasha_ros.devices.aravis.camera import AravisCamera
from dasha_ros.devices.aravis.device import AravisSettings
from dasha_ros.devices.aravis.discovery import GenicamFound, known_cameras, list_cameras
from dasha_ros.devices.aravis.library import why_missing
from dasha_ros.devices.camera import CameraLimits

PROGRAM = "arv-fake-gv-camera-0.8"
SERIAL = "GV01"
START_S = 90.0
ANSWER_S = 0.2
PORT = 3956
"""Of GigE Vision's control protocol (GVCP); the program takes no other one."""
DISCOVERY, DISCOVERED = struct.pack(">BBHHH", 0x42, 0x11, 0x0002, 0, 1), struct.pack(">H", 0x0003)
"""GVCP's question who is there, which every camera answers, and the number of the answer."""


class FakeGenicam:
    """The program; plug it, pull it."""

    def __init__(self, lost_per_thousand: int) -> None:
        self.lost_per_thousand = lost_per_thousand
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_plugged(self) -> bool:
        """Whether it runs, or is frozen."""
        return self._process is not None

    def plug(self, lost_per_thousand: int | None = None) -> None:
        """Start it, and wait until it answers; as many packets get lost as before unless it is told."""
        assert not answers(), "another fake camera runs on this machine: end it"
        if lost_per_thousand is not None:
            self.lost_per_thousand = lost_per_thousand
        command = [PROGRAM, "-i", "127.0.0.1", "-s", SERIAL, "-r", str(self.lost_per_thousand)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        process = self._process
        wait_for(lambda: answers() or process.poll() is not None, "the fake camera's answer", START_S)
        assert process.poll() is None, "the fake camera ended: is its port used?"

    def unplug(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Stop it without ending it: it answers nothing."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def found(self) -> list[GenicamFound]:
        """The camera as Aravis sees it, and no other one of this machine's network.

        Aravis looks for a second. It is the same camera each time, so a process lets it look only once.
        """
        if not self.is_plugged:
            return []
        return _ours(known_cameras()) or _ours(list_cameras())


def _ours(cameras: list[GenicamFound]) -> list[GenicamFound]:
    return [camera for camera in cameras if camera.serial_number == SERIAL]


def answers() -> bool:
    """Whether a camera answers on the loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as host:
        host.settimeout(ANSWER_S)
        host.connect(("127.0.0.1", PORT))
        try:
            host.send(DISCOVERY)
            return host.recv(1024)[2:4] == DISCOVERED
        except OSError:  # nobody has the port, or nobody answers
            return False


@contextmanager
def opened(fake: FakeGenicam, settings: AravisSettings) -> Iterator[tuple[AravisCamera, CameraLimits]]:
    """A camera on it, and its limits; it is closed whatever happens, because the fake has one controller."""
    camera = AravisCamera(settings, find=fake.found)
    try:
        yield camera, camera.open()
    finally:
        camera.close()


@contextmanager
def only_genicam(program: str = "") -> Iterator[None]:
    """No other test has a fake camera meanwhile: they have one port. Skips where Aravis is missing."""
    if missing := why_missing():
        pytest.skip(missing)
    if program and shutil.which(program) is None:
        pytest.skip(f"{program} is not installed: apt install aravis-tools")
    with (Path(tempfile.gettempdir()) / "dasha-fake-genicam.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def fake_genicam(lost_per_thousand: int = 0) -> Iterator[FakeGenicam]:
    """A fake camera that runs, one at a time."""
    with only_genicam(PROGRAM):
        camera = FakeGenicam(lost_per_thousand)
        try:
            camera.plug()
            yield camera
        finally:
            camera.unplug()
