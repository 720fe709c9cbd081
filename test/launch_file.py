"""The launch file, arguments for it, and what nodes read of what it hands over."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dasha_ros.bringup import graph as bringup
from dasha_ros.config.ros_file import RosFile
from dasha_ros.system.paths import share_dir

FILE = share_dir() / "launch" / "dasha.launch.py"
WITH_COMPONENTS = Path(__file__).resolve().parents[1] / "examples" / "with_components.launch.xml"

GIVEN = {
    "namespace": "/left",
    "scene": "street",
    "speed": "4",
    "log_level": "debug",
    "overrides": "camera_driver.gain_db=6 'camera_driver.serial=two words'",
}
OPTIONS = bringup.Options(
    namespace="/left",
    scene="street",
    speed=4.0,
    log_level="debug",
    overrides=("camera_driver.gain_db=6", "camera_driver.serial=two words"),
)

VALUES: list[Any] = [
    "",
    "007",
    "08",
    "12e3",
    "y",
    "1.0",
    "yes",
    "two words",
    "plus",
    '"',
    "\\",
    "a: b",
    "\U0001f408",
    "x " * 99,
]
VALUES += [True, 5, 1e-5, [1.5, 2.0], ["a", "08", "two words"], [True]]


def load_launch_file() -> Any:
    """The launch file as a module; what it imports as launch must be there."""
    spec = importlib.util.spec_from_file_location("dasha_launch_file", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def arguments_of_the_file() -> set[str]:
    """The arguments of the launch file, read without running it: launch may be missing."""
    (found,) = (
        node.value
        for node in ast.parse(FILE.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "ARGUMENTS"
    )
    assert isinstance(found, ast.Dict)
    return {ast.literal_eval(key) for key in found.keys if key is not None}


def told(files: Iterable[str], full_name: str) -> dict[str, Any]:
    """What a node reads in the files that launch hands to it, as rcl reads them."""
    found: dict[str, Any] = {}
    for file in files:
        found |= {
            name: given.value
            for name, given in RosFile(Path(file).read_bytes()).parameters(full_name).items()
        }
    return found
