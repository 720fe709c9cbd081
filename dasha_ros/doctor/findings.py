"""What this machine has, what it lacks, and what to do about it: the findings of ``dasha doctor``.

Needs neither ROS nor any package: it must run where an installation is incomplete.
Whether nodes answer is asked over ROS by the command line, which adds it to these findings.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from importlib import metadata
from pathlib import Path

from dasha_ros.assets.catalogue import (
    State,
    assets_dir,
    catalogue,
    check,
    check_converted,
    fetch_command,
    packages_of,
)
from dasha_ros.bringup.domain import domain_trouble
from dasha_ros.system.paths import checkout_dir, config_dir
from dasha_ros.system.shared_memory import SHARED_MEMORY

SHARED_MEMORY_NEEDED = 600 << 20
"""Bytes for the graph's nodes: one segment of 64 MiB each, and one for the person who looks on."""
DISK_NEEDED = 200 << 20
PYTHONS = ((3, 10), (3, 13))
CAMERA_TIMEOUT_S = 15.0


class Verdict(Enum):
    """How a finding bears on running the graph."""

    OK = "ok"
    OPTIONAL = "optional"
    """Absent, and only some jobs need it."""
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One fact about this machine."""

    topic: str
    name: str
    verdict: Verdict
    detail: str
    advice: str = ""
    """What to do; empty where nothing is to be done."""


@dataclass(frozen=True)
class Package:
    """A Python package that the code imports."""

    module: str
    distributions: tuple[str, ...]
    """Names under which registries and distributions ship it."""
    purpose: str
    required: bool = False
    at_least: tuple[int, ...] = ()
    """Lowest version that works, as far as it matters."""


PACKAGES = (
    Package("numpy", ("numpy",), "arithmetic", required=True),
    Package("cv2", ("opencv-python-headless", "opencv-python", "opencv"), "images", True, (4, 7)),
    Package("onnxruntime", ("onnxruntime", "onnxruntime-gpu"), "networks", required=True),
    Package("pydantic", ("pydantic",), "configuration", required=True, at_least=(2,)),
    Package("yaml", ("PyYAML",), "configuration", required=True),
    Package("rich", ("rich",), "the command line", required=True),
    Package("typer", ("typer",), "the command line", required=True, at_least=(0, 12, 5)),
    Package("psutil", ("psutil",), "measurements", required=True),
    Package("onnx", ("onnx",), "converting models"),
    Package("matplotlib", ("matplotlib",), "plots"),
    Package("torch", ("torch",), "learning, and the paper's encoder"),
    Package("torchvision", ("torchvision",), "resnet152, faster_rcnn, retinanet"),
    Package("ultralytics", ("ultralytics-opencv-headless", "ultralytics"), "YOLO model files"),
    Package("stable_baselines3", ("stable-baselines3",), "learning"),
    Package("gymnasium", ("gymnasium",), "learning"),
    Package("pypylon", ("pypylon",), "Basler cameras and their emulator"),
    Package("serial", ("pyserial",), "the lens on a serial port"),
)


def examine(environ: Mapping[str, str] = os.environ) -> list[Finding]:
    """Every finding, grouped by topic. A probe that fails is a finding too."""
    probes: dict[str, Callable[[], Iterator[Finding]]] = {
        "python": python,
        "ros": lambda: ros(environ),
        "discovery": lambda: discovery(environ),
        "shared memory": shared_memory,
        "compiler": compiler,
        "assets": assets,
        "packages": packages,
        "serial ports": serial_ports,
        "cameras": cameras,
    }
    findings: list[Finding] = []
    for topic, probe in probes.items():
        try:
            findings += probe()
        except Exception as error:
            findings.append(Finding(topic, "examination", Verdict.PROBLEM, f"failed: {error!r}"))
    return findings


def _finding(
    topic: str, name: str, good: bool, detail: str, advice: str = "", *, otherwise: Verdict = Verdict.PROBLEM
) -> Finding:
    """A finding whose advice counts only when it isn't good."""
    return Finding(topic, name, Verdict.OK if good else otherwise, detail, "" if good else advice)


def python() -> Iterator[Finding]:
    """The interpreter and its environment."""
    (low, high), prefix = PYTHONS, sys.prefix
    place = f"virtual environment {prefix}" if prefix != sys.base_prefix else prefix
    supported = low <= sys.version_info[:2] <= high
    advice = f"use Python {low[0]}.{low[1]} to {high[0]}.{high[1]}"
    yield _finding("python", "interpreter", supported, f"{platform.python_version()}, {place}", advice)
    yield _finding("python", "sources", True, str(Path(__file__).parent))


def ros(environ: Mapping[str, str]) -> Iterator[Finding]:
    """rclpy, this package's messages, and the middleware with its profile."""
    checkout = checkout_dir()
    advice = f"run {checkout}/scripts/setup" if checkout else "source your workspace's install/setup.bash"
    rclpy = _present("rclpy")
    version = _version("ros-rclpy", "rclpy")
    yield _finding("ros", "rclpy", rclpy, version or "found" if rclpy else "not found", advice)
    for module in ("dasha_ros.msg", "dasha_ros.action"):
        built = _present(module)
        yield _finding("ros", module, built, "built" if built else "not built", advice)
    rmw = environ.get("RMW_IMPLEMENTATION") or "rmw_fastrtps_cpp"
    advice = "the shipped shared-memory profile is for rmw_fastrtps_cpp"
    yield _finding("ros", "middleware", rmw == "rmw_fastrtps_cpp", rmw, advice, otherwise=Verdict.OPTIONAL)
    names = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
    profile = Path(next(filter(None, map(environ.get, names)), None) or config_dir() / "fastdds.xml")
    advice = f"no such file; correct or unset {' and '.join(names)}"
    yield _finding("ros", "profile", profile.is_file(), str(profile), advice)


def discovery(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Which other processes and machines the graph can meet."""
    domain = environ.get("ROS_DOMAIN_ID") or "0 (default)"
    trouble = domain_trouble(environ)
    yield _finding("discovery", "ROS_DOMAIN_ID", not trouble, domain, trouble)
    scope = environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE") or "LOCALHOST (default of dasha_ros)"
    yield _finding("discovery", "ROS_AUTOMATIC_DISCOVERY_RANGE", True, scope)
    if localhost_only := environ.get("ROS_LOCALHOST_ONLY"):
        advice = "it overrides ROS_AUTOMATIC_DISCOVERY_RANGE, which replaced it: unset it"
        yield _finding(
            "discovery", "ROS_LOCALHOST_ONLY", False, localhost_only, advice, otherwise=Verdict.OPTIONAL
        )


def shared_memory() -> Iterator[Finding]:
    """Room for the segments that carry the images, and what is in use."""
    usage = shutil.disk_usage(SHARED_MEMORY)
    free, total, needed = usage.free >> 20, usage.total >> 20, SHARED_MEMORY_NEEDED >> 20
    advice = f"images need {needed} MiB of it; in a container, start that with --shm-size=1g"
    yield _finding("shared memory", str(SHARED_MEMORY), free >= needed, f"{free} of {total} MiB free", advice)
    segments = [path for path in SHARED_MEMORY.glob("fastdds_*") if path.is_file()]
    if segments:
        size = sum(path.stat().st_blocks * 512 for path in segments) >> 20
        detail = f"{len(segments)} files of Fast DDS, {size} MiB"
        advice = f"where no ROS process runs, killed ones left them: rm {SHARED_MEMORY}/*fastdds_*"
        yield Finding("shared memory", "in use", Verdict.OK, detail, advice)


def compiler() -> Iterator[Finding]:
    """What building the messages needs."""
    for tool, package in {"cc": "build-essential", "c++": "build-essential", "cmake": "cmake"}.items():
        path = shutil.which(tool)
        advice = f"to build the messages: apt install {package}"
        yield _finding(
            "compiler", tool, path is not None, path or "not found", advice, otherwise=Verdict.OPTIONAL
        )


def assets() -> Iterator[Finding]:
    """Photographs and models by set, with their hashes; and room for more."""

    folder = assets_dir()
    for name in dict.fromkeys(package.set for package in catalogue()):
        states = {file: check(file, folder) for package in packages_of([name]) for file in package.files}
        bad = [f"{file.name} is {state.value}" for file, state in states.items() if state is not State.OK]
        detail = f"{len(states) - len(bad)} of {len(states)} files in {folder}"
        if bad:
            detail += f": {bad[0]}" + (f", {len(bad) - 1} more" if len(bad) > 1 else "")
        otherwise = Verdict.PROBLEM if name == "base" else Verdict.OPTIONAL
        yield _finding("assets", name, not bad, detail, f"run {fetch_command(name)}", otherwise=otherwise)
    made = check_converted(folder)
    bad = [f"{name} is {state.value}" for name, state in made.items() if state is not State.OK]
    yield _finding("assets", "converted models", not bad, ", ".join(bad) or "ready", f"run {fetch_command()}")
    place = next(path for path in (folder, *folder.parents) if path.is_dir())
    free = shutil.disk_usage(place).free
    advice = "free some space: reports and models would not fit"
    yield _finding("assets", "disk", free > DISK_NEEDED, f"{free >> 20} MiB free at {place}", advice)


def packages() -> Iterator[Finding]:
    """Python packages with their versions; none is imported."""
    for package in PACKAGES:
        found, version = _present(package.module), _version(*package.distributions)
        recent = not version or _numbers(version) >= package.at_least
        state = "not installed" if not found else version or "found" if recent else f"{version} is too old"
        bound = f">={'.'.join(map(str, package.at_least))}" if package.at_least else ""
        advice = f'pip install "{package.distributions[0]}{bound}"'
        otherwise = Verdict.PROBLEM if package.required else Verdict.OPTIONAL
        detail = f"{state} ({package.purpose})"
        yield _finding("packages", package.module, found and recent, detail, advice, otherwise=otherwise)


def serial_ports() -> Iterator[Finding]:
    """Serial ports that may carry a lens, by a name that stays when they are plugged in again."""
    stable = sorted(Path("/dev/serial/by-id").glob("*"))
    ports = stable or sorted([*Path("/dev").glob("ttyUSB*"), *Path("/dev").glob("ttyACM*")])
    if not ports:
        yield Finding("devices", "serial ports", Verdict.OPTIONAL, "none")
    for port in ports:
        usable = os.access(port, os.R_OK | os.W_OK)
        advice = "sudo usermod -aG dialout $USER, then log in again"
        yield _finding("devices", str(port), usable, "usable" if usable else "no permission", advice)


def cameras() -> Iterator[Finding]:
    """Basler cameras, asked in a process of its own: a vendor's library may hang or crash."""
    if not _present("pypylon"):
        return
    ask = "from dasha_ros.devices.pylon.discovery import list_cameras\nfor c in list_cameras(): print(c)"
    try:
        answer = subprocess.run(
            [sys.executable, "-c", ask], capture_output=True, text=True, timeout=CAMERA_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        detail = f"pylon gave no answer in {CAMERA_TIMEOUT_S:g} s"
        yield Finding("devices", "cameras", Verdict.PROBLEM, detail)
        return
    if answer.returncode:
        reason = (answer.stderr.strip().splitlines() or ["no message"])[-1]
        yield Finding("devices", "cameras", Verdict.PROBLEM, f"pylon failed: {reason}")
    elif not answer.stdout.strip():
        yield Finding("devices", "cameras", Verdict.OPTIONAL, "none")
    for line in answer.stdout.splitlines():
        yield Finding("devices", "camera", Verdict.OK, line)


def _present(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _numbers(version: str) -> tuple[int, ...]:
    """The leading three numbers of a version: ``4.6.0+dfsg`` is (4, 6, 0)."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def _version(*distributions: str) -> str:
    """Version of the first of these that is installed; empty when none is."""
    for name in distributions:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return ""
