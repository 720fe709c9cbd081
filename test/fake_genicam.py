"""Aravis' own fake GigE Vision camera, a program of Debian's aravis-tools: real packets over loopback."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dasha_ros.devices.aravis.camera import AravisCamera
from dasha_ros.devices.aravis.device import AravisSettings
from dasha_ros.devices.aravis.discovery import GenicamFound, list_cameras
from dasha_ros.devices.aravis.library import is_installed
from dasha_ros.devices.camera import CameraLimits

PROGRAM = "arv-fake-gv-camera-0.8"
SERIAL = "GV01"
START_S = 20.0


class FakeGenicam:
    """The program; plug it, pull it."""

    def __init__(self, lost_per_thousand: int) -> None:
        self._lost = lost_per_thousand
        self._process: subprocess.Popen[bytes] | None = None

    def plug(self) -> None:
        """Start it, and wait until it answers."""
        assert not self.found(), "another fake camera runs on this machine: end it"
        command = [PROGRAM, "-i", "127.0.0.1", "-s", SERIAL, "-r", str(self._lost)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + START_S
        while not self.found():
            assert self._process.poll() is None, "the fake camera ended: is its port used?"
            assert time.monotonic() < end, "the fake camera does not answer"

    def unplug(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @staticmethod
    def found() -> list[GenicamFound]:
        """The camera as Aravis sees it, and no other one of this machine's network."""
        return [camera for camera in list_cameras() if camera.serial_number == SERIAL]


@contextmanager
def opened(fake: FakeGenicam, settings: AravisSettings) -> Iterator[tuple[AravisCamera, CameraLimits]]:
    """A camera on it, and its limits; it is closed whatever happens, because the fake has one controller."""
    camera = AravisCamera(settings, find=fake.found)
    try:
        yield camera, camera.open()
    finally:
        camera.close()


@contextmanager
def fake_genicam(lost_per_thousand: int = 0) -> Iterator[FakeGenicam]:
    """A fake camera that runs; one at a time, because it has a fixed port."""
    if not is_installed() or shutil.which(PROGRAM) is None:
        pytest.skip(f"{PROGRAM} and Aravis for Python: apt install aravis-tools python3-gi gir1.2-aravis-0.8")
    with (Path(tempfile.gettempdir()) / "dasha-fake-genicam.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        camera = FakeGenicam(lost_per_thousand)
        try:
            camera.plug()
            yield camera
        finally:
            camera.unplug()
