"""What describes the package agrees with what is in it: versions, executables, interfaces, dependencies."""

from __future__ import annotations

import importlib
import importlib.util
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

import dasha_ros
from dasha_ros.assets.catalogue import catalogue

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = ElementTree.parse(ROOT / "package.xml").getroot()
CMAKE = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
BUILD_ONLY = {"ament_cmake", "ament_cmake_python", "rosidl_default_generators"}


def executables() -> set[str]:
    listed = re.search(r"set\(executables(.*?)\)", CMAKE, re.DOTALL)
    assert listed is not None
    return set(listed[1].split())


def dependencies() -> set[str]:
    return {str(entry.text) for entry in MANIFEST if "depend" in entry.tag}


def interface_files() -> list[Path]:
    return sorted([*ROOT.glob("msg/*.msg"), *ROOT.glob("action/*.action")])


def setup_says(query: str) -> str:
    command = [sys.executable, "setup.py", "--quiet", query]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def test_one_version_everywhere() -> None:
    version = MANIFEST.findtext("version")
    assert version == dasha_ros.__version__
    assert version == setup_says("--version").splitlines()[-1]
    changelog = (ROOT / "CHANGELOG.rst").read_text(encoding="utf-8")
    assert re.search(rf"^{re.escape(str(version))} \(\d{{4}}-\d\d-\d\d\)$", changelog, re.MULTILINE)
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.+)$", citation, re.MULTILINE)[1] == version


def test_licence_is_the_one_that_is_named() -> None:
    assert MANIFEST.findtext("license") == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_every_node_is_an_executable() -> None:
    modules = {
        path.stem
        for path in (ROOT / "dasha_ros" / "nodes").glob("*.py")
        if re.search(r"^def main\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert executables() == modules | {"dasha"}


def test_bringup_starts_only_executables() -> None:
    from dasha_ros.bringup.rigs import RIGS

    assert {node for rig in RIGS.values() for node in rig.nodes} <= executables()


@pytest.mark.parametrize("path", interface_files(), ids=lambda p: p.stem)
def test_every_interface_is_built(path: Path) -> None:
    if importlib.util.find_spec("rclpy") is None:
        pytest.skip("rclpy is not installed: scripts/setup installs it")
    module = importlib.import_module(f"dasha_ros.{path.parent.name}")
    fields = getattr(module, path.stem)
    described = fields.Goal if path.suffix == ".action" else fields
    written = path.read_text(encoding="utf-8").split("---")[0]
    names = re.findall(r"^\s*[\w/]+(?:\[[^\]]*\])?(?:<=\d+)?\s+([a-z]\w*)\s*(?:#.*)?$", written, re.MULTILINE)
    assert set(names) == set(described.get_fields_and_field_types()), (
        "run ./scripts/setup to build them again"
    )


def test_cmake_and_manifest_name_the_same_build_dependencies() -> None:
    found = set(re.findall(r"find_package\((\w+) REQUIRED\)", CMAKE))
    assert found <= dependencies()
    described = {str(entry.text) for entry in MANIFEST if entry.tag == "buildtool_depend"}
    assert described == BUILD_ONLY


def test_every_ros_package_that_is_imported_is_a_dependency() -> None:
    imported = {
        name
        for path in [*(ROOT / "dasha_ros").rglob("*.py"), *(ROOT / "launch").glob("*.py")]
        for name in re.findall(r"^\s*(?:from|import) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    named = {"rclpy", "rcl_interfaces", "launch", "launch_ros", "ament_index_python", "cv_bridge"}
    ros = {name for name in imported if name.endswith("_msgs") or name in named}
    assert ros <= dependencies() | {"builtin_interfaces"}


def test_converters_expect_the_files_that_are_fetched() -> None:
    from dasha_ros.assets.convert.convert import RAW_SHA256

    pinned = {file.name: file.sha256 for package in catalogue() for file in package.files}
    assert {name: pinned.get(name) for name in RAW_SHA256} == dict(RAW_SHA256)


def test_pip_installs_every_room_without_ros() -> None:
    code = "import setuptools, runpy; setuptools.setup = lambda **kw: print('\\n'.join(kw['packages']));"
    code += "runpy.run_path('setup.py')"
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    rooms = {f"dasha_ros.{p.parent.name}" for p in (ROOT / "dasha_ros").glob("*/__init__.py")}
    installed = set(printed.stdout.split())
    assert rooms - installed == {"dasha_ros.nodes", "dasha_ros.ros"}


LOCKS = sorted((ROOT / "requirements").glob("*.lock"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda p: p.stem)
def test_locks_pin_every_requirement(lock: Path) -> None:
    lines = [line for line in lock.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    wrong = [
        line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[\w.+!]+( ; python_version [^;]+)?", line)
    ]
    assert not wrong
    pinned = {line.split("==")[0] for line in lines}
    for base in ("ros", "core"):
        text = (lock.parent / f"{base}.lock").read_text(encoding="utf-8")
        pinned |= set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))
    asked = re.findall(
        r"^([A-Za-z][\w.-]*)", lock.with_suffix(".in").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert {re.sub(r"[-_.]+", "-", name).lower() for name in asked} <= pinned, "run scripts/lock"


@pytest.mark.parametrize("distribution", ["ros", "ros-kilted"])
def test_locks_that_are_installed_together_agree(distribution: str) -> None:
    """pip installs all layers of one environment in one call, and refuses two versions of one package."""
    pins: dict[tuple[str, str], set[str]] = {}
    for lock in sorted((ROOT / "requirements").glob("*.lock")):
        if lock.stem.startswith("ros") and lock.stem != distribution:
            continue
        for line in lock.read_text(encoding="utf-8").splitlines():
            if pin := re.match(r"([A-Za-z0-9._-]+)==([^\s;]+)\s*;?\s*(.*)", line):
                pins.setdefault((re.sub(r"[-_.]+", "-", pin[1].lower()), pin[3]), set()).add(pin[2])
    assert not {name: versions for name, versions in pins.items() if len(versions) > 1}
