"""Checks the devices: serial ports that may carry a lens, Basler cameras, and webcams."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from dasha_ros.devices.indi.server import DEFAULT_PORT as INDI_PORT
from dasha_ros.devices.lag.latency import latency_of
from dasha_ros.devices.serial.ports import likely_backend
from dasha_ros.devices.v4l2.discovery import list_webcams
from dasha_ros.doctor.finding import Finding, Verdict, judged
from dasha_ros.doctor.software import is_installed
from dasha_ros.system.extras import how_to_install

CAMERA_TIMEOUT_S = 15.0


def serial_ports() -> Iterator[Finding]:
    """Serial ports that may carry a lens, by names that stay the same after replugging."""
    stable = sorted(Path("/dev/serial/by-id").glob("*"))
    ports = stable or sorted([*Path("/dev").glob("ttyUSB*"), *Path("/dev").glob("ttyACM*")])
    if not ports:
        yield Finding("devices", "serial ports", Verdict.OPTIONAL, "none")
    for port in ports:
        usable = os.access(port, os.R_OK | os.W_OK)
        advice = "sudo usermod -aG dialout $USER, then log in again"
        backend = likely_backend(port.name)
        detail = f"usable{f', back end {backend}?' if backend else ''}" if usable else "no permission"
        yield judged("devices", str(port), usable, detail, advice)


def cameras() -> Iterator[Finding]:
    """Basler cameras, listed in a separate process because the vendor's library may hang or crash."""
    if not is_installed("pypylon"):
        return
    ask = "from dasha_ros.devices.pylon.discovery import list_cameras\nfor c in list_cameras(): print(c)"
    yield from _listed(ask, "cameras", "pylon")


def _listed(ask: str, name: str, library: str) -> Iterator[Finding]:
    """What a program prints, a camera a line."""
    try:
        answer = subprocess.run(
            [sys.executable, "-c", ask], capture_output=True, text=True, timeout=CAMERA_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        detail = f"{library} gave no answer in {CAMERA_TIMEOUT_S:g} s"
        yield Finding("devices", name, Verdict.PROBLEM, detail)
        return
    if answer.returncode:
        reason = (answer.stderr.strip().splitlines() or ["no message"])[-1]
        yield Finding("devices", name, Verdict.PROBLEM, f"{library} failed: {reason}")
    elif not answer.stdout.strip():
        yield Finding("devices", name, Verdict.OPTIONAL, "none")
    for line in answer.stdout.splitlines():
        yield Finding("devices", name.removesuffix("s"), Verdict.OK, line)


def genicam() -> Iterator[Finding]:
    """Cameras that Aravis sees, in a separate process, because a vendor's driver may hang."""
    from dasha_ros.devices.aravis.library import why_missing

    if missing := why_missing():
        yield Finding("devices", "Aravis", Verdict.OPTIONAL, "not usable", missing)
        return
    ask = "from dasha_ros.devices.aravis.discovery import list_cameras\nfor c in list_cameras(): print(c)"
    yield from _listed(ask, "GenICam cameras", "Aravis")


def webcams() -> Iterator[Finding]:
    """Webcams: whether this user may open them, and whether their lag was measured."""
    found = list_webcams()
    if not found:
        yield Finding("devices", "webcams", Verdict.OPTIONAL, "none")
    for webcam in found:
        usable = os.access(webcam.node, os.R_OK | os.W_OK)
        detail = f"{webcam}, lag: {latency_of(webcam.model)}" if usable else f"{webcam}, no permission"
        advice = "sudo usermod -aG video $USER, then log in again"
        yield judged("devices", "webcam", usable, detail, advice)


def indi_server() -> Iterator[Finding]:
    """Whether an INDI server is where the lens driver looks for one by default."""
    address = f"localhost:{INDI_PORT}"
    try:
        socket.create_connection(("localhost", INDI_PORT), 1.0).close()
    except OSError:
        yield Finding("devices", "INDI server", Verdict.OPTIONAL, f"none at {address}")
        return
    good = is_installed("indipyclient")
    detail = f"answers at {address}" + ("" if good else ", but indipyclient is not installed")
    yield judged("devices", "INDI server", good, detail, how_to_install("indi"))
