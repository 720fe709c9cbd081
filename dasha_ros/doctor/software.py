"""Checks the installed software: Python, packages, the compiler, photographs and models.

Standard library only: this must run where an installation is incomplete.
"""

from __future__ import annotations

import importlib.util
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from dasha_ros.assets.catalogue import (
    AssetMissing,
    State,
    assets_dir,
    catalogue,
    check,
    check_converted,
    fetch_command,
    packages_of,
)
from dasha_ros.doctor.finding import Finding, Verdict, judged

PYTHONS = ((3, 10), (3, 13))
DISK_NEEDED = 200 << 20


@dataclass(frozen=True)
class Package:
    """A Python package that the code imports."""

    module: str
    distributions: tuple[str, ...]
    """Its names in registries and distributions."""
    purpose: str
    required: bool = False
    at_least: tuple[int, ...] = ()
    """Lowest version that works; empty if any does."""


PACKAGES = (
    Package("numpy", ("numpy",), "arithmetic", required=True),
    Package("cv2", ("opencv-python-headless", "opencv-python", "opencv"), "images", True, (4, 7)),
    Package("onnxruntime", ("onnxruntime", "onnxruntime-gpu"), "networks", required=True),
    Package("pydantic", ("pydantic",), "configuration", required=True, at_least=(2,)),
    Package("yaml", ("PyYAML",), "configuration", required=True),
    Package("rich", ("rich",), "the command line", required=True),
    Package("typer", ("typer",), "the command line", required=True, at_least=(0, 12, 5)),
    Package("psutil", ("psutil",), "measurements", required=True),
    Package("aiohttp", ("aiohttp",), "`dasha watch`", at_least=(3, 9)),
    Package("onnx", ("onnx",), "converting models"),
    Package("matplotlib", ("matplotlib",), "plots"),
    Package("torch", ("torch",), "learning, and the paper's encoder"),
    Package("torchvision", ("torchvision",), "resnet152, faster_rcnn, retinanet"),
    Package("ultralytics", ("ultralytics-opencv-headless", "ultralytics"), "YOLO model files"),
    Package("stable_baselines3", ("stable-baselines3",), "learning"),
    Package("gymnasium", ("gymnasium",), "learning"),
    Package("pypylon", ("pypylon",), "Basler cameras and their emulator"),
    Package("serial", ("pyserial",), "the lens on a serial port"),
    Package("linuxpy", ("linuxpy",), "webcams"),
)


def python() -> Iterator[Finding]:
    """The interpreter and its environment."""
    (low, high), prefix = PYTHONS, sys.prefix
    place = f"virtual environment {prefix}" if prefix != sys.base_prefix else prefix
    supported = low <= sys.version_info[:2] <= high
    advice = f"use Python {low[0]}.{low[1]} to {high[0]}.{high[1]}"
    yield judged("python", "interpreter", supported, f"{platform.python_version()}, {place}", advice)
    yield judged("python", "sources", True, str(Path(__file__).parent))


def compiler() -> Iterator[Finding]:
    """The tools that build the messages."""
    for tool, package in {"cc": "build-essential", "c++": "build-essential", "cmake": "cmake"}.items():
        path = shutil.which(tool)
        advice = f"to build the messages: apt install {package}"
        yield judged(
            "compiler", tool, path is not None, path or "not found", advice, otherwise=Verdict.OPTIONAL
        )


def packages() -> Iterator[Finding]:
    """Python packages and their versions; none of them is imported."""
    for package in PACKAGES:
        found, version = is_installed(package.module), installed_version(*package.distributions)
        recent = not version or _numbers(version) >= package.at_least
        state = "not installed" if not found else version or "found" if recent else f"{version} is too old"
        bound = f">={'.'.join(map(str, package.at_least))}" if package.at_least else ""
        advice = f'pip install "{package.distributions[0]}{bound}"'
        otherwise = Verdict.PROBLEM if package.required else Verdict.OPTIONAL
        detail = f"{state} ({package.purpose})"
        yield judged("packages", package.module, found and recent, detail, advice, otherwise=otherwise)


def assets() -> Iterator[Finding]:
    """Photographs and models by set, checked by their hashes; converted models; disk space."""
    try:
        folder = assets_dir()
    except AssetMissing as error:
        yield judged("assets", "folder", False, str(error), "correct DASHA_ASSETS, or leave it unset")
        return
    for name in dict.fromkeys(package.set for package in catalogue()):
        states = {file: check(file, folder) for package in packages_of([name]) for file in package.files}
        bad = [f"{file.name} is {state.value}" for file, state in states.items() if state is not State.OK]
        detail = f"{len(states) - len(bad)} of {len(states)} files in {folder}"
        if bad:
            detail += f": {bad[0]}" + (f", {len(bad) - 1} more" if len(bad) > 1 else "")
        otherwise = Verdict.PROBLEM if name == "base" else Verdict.OPTIONAL
        yield judged("assets", name, not bad, detail, f"run {fetch_command(name)}", otherwise=otherwise)
    made = check_converted(folder)
    bad = [f"{name} is {state.value}" for name, state in made.items() if state is not State.OK]
    yield judged("assets", "converted models", not bad, ", ".join(bad) or "ready", f"run {fetch_command()}")
    place = next(path for path in (folder, *folder.parents) if path.is_dir())
    free = shutil.disk_usage(place).free
    advice = "free some space: reports and models would not fit"
    yield judged("assets", "disk", free > DISK_NEEDED, f"{free >> 20} MiB free at {place}", advice)


def is_installed(module: str) -> bool:
    """Whether a module can be imported, without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def installed_version(*distributions: str) -> str:
    """Version of the first of these distributions that is installed; empty if none is."""
    for name in distributions:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return ""


def _numbers(version: str) -> tuple[int, ...]:
    """The leading three numbers of a version: ``4.6.0+dfsg`` is (4, 6, 0)."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
