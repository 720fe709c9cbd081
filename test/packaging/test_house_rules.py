"""The rules of the house, read from the sources: floors, import cycles, sizes, ROS, types, unwanted words."""

from __future__ import annotations

import ast
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "dasha_ros"

FLOORS = {
    "system": 0,
    "files": 0,
    "optics": 1,
    "freshness": 1,
    "assets": 1,
    "recording": 1,
    "perception": 2,
    "twin": 2,
    "assets.convert": 3,  # at set-up, not at run time: it knows what perception reads
    "assets.registries": 4,
    "assets.fetch": 5,
    "config": 3,
    "devices": 3,
    "estimation": 3,
    "policies": 4,
    "control": 5,
    "emulators": 5,
    "report": 5,
    "learning": 6,
    "benchmark": 7,
    "ros": 8,
    "nodes": 9,
    "bringup": 9,
    "doctor": 10,
    "client": 10,
    "soak": 10,
    "watch": 11,
    "cli": 12,
}
"""The floor of every room; an entry for a part of a room overrides the room's."""

ROS_ROOMS = {"nodes", "ros", "bringup", "client", "cli", "soak", "watch"}
ROS_PACKAGES = {
    "rclpy", "rcl_interfaces", "lifecycle_msgs", "diagnostic_msgs", "sensor_msgs", "std_msgs",
    "builtin_interfaces", "action_msgs", "rosgraph_msgs", "vision_msgs", "geometry_msgs",
    "unique_identifier_msgs",
}  # fmt: skip
LONGEST_FILE = 350
FULLEST_ROOM = 15


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room_of(module: str) -> str:
    """The room of a module: the longest entry of `FLOORS` that its name begins with."""
    parts = module.split(".")[1:]
    names = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next((name for name in names if name in FLOORS), parts[0] if parts else "")


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imported(node: ast.AST, for_types: bool = False) -> Iterator[tuple[str, bool]]:
    """Full names of all modules imported anywhere below a node, and whether only for type checks."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((alias.name, for_types) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"relative import in line {child.lineno}"
            yield child.module or "", for_types
            if child.module == "dasha_ros":
                yield from ((f"dasha_ros.{alias.name}", for_types) for alias in child.names)
        else:
            yield from imported(child, for_types or is_for_types(child))


def imports_of(path: Path) -> list[tuple[str, bool]]:
    return list(imported(ast.parse(path.read_text(encoding="utf-8"))))


def modules_imported(path: Path, modules: set[str]) -> set[str]:
    """The modules of the package that a file imports, also inside functions and for type checks."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            members = {f"{node.module}.{alias.name}" for alias in node.names} & modules
            names.update(members)
            # ``from package import module`` doesn't use the package itself.
            if len(members) < len(node.names):
                names.add(node.module)
    return names & modules


def tracked() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout, to know what belongs to the tree")
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def test_every_room_has_a_floor() -> None:
    rooms = {room_of(module_of(path)) for path in sources()} - {""}
    assert rooms == set(FLOORS), "a new room needs a floor, and a room that is gone needs none"


def test_rooms_say_on_which_floor_they_are() -> None:
    wrong = []
    for path in PACKAGE.rglob("__init__.py"):
        module = module_of(path)
        said = re.match(r"Floor (\d+)\. ", ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "")
        room = module.removeprefix("dasha_ros.")
        if said is None and room in FLOORS:
            wrong.append(f"{module}: its docstring begins with no floor")
        elif said is not None and int(said[1]) != FLOORS[room_of(module)]:
            wrong.append(f"{module}: floor {said[1]}, and {FLOORS[room_of(module)]} by its imports")
    assert not wrong, wrong


def test_rooms_import_only_from_lower_floors() -> None:
    wrong = []
    for path in sources():
        room = room_of(module_of(path))
        for name, _ in imports_of(path):
            if not name.startswith("dasha_ros.") or name.split(".")[1] in {"msg", "action", "__version__"}:
                continue
            other = room_of(name)
            if other != room and not FLOORS[other] < FLOORS[room]:
                wrong.append(
                    f"{path.relative_to(ROOT)} (floor {FLOORS[room]}): {name} (floor {FLOORS[other]})"
                )
    assert not wrong, wrong


def test_no_modules_import_each_other_in_a_circle() -> None:
    modules = {module_of(path): path for path in sources()}
    sorter = TopologicalSorter(
        {name: modules_imported(path, set(modules)) - {name} for name, path in modules.items()}
    )
    try:
        sorter.prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_no_room_is_too_full() -> None:
    files = Counter(path.parent for path in sources() if path.name not in {"__init__.py", "__main__.py"})
    full = {
        folder.relative_to(PACKAGE).as_posix(): count
        for folder, count in files.items()
        if count > FULLEST_ROOM
    }
    assert not full, f"more than {FULLEST_ROOM} files directly in a room: make folders of families: {full}"


def test_mypy_checks_every_room() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    settings = text.partition("[tool.mypy]")[2].partition("[[tool.mypy.overrides]]")[0]
    checked = re.search(r"^files = (\[.*?\])", settings, re.MULTILINE | re.DOTALL)
    assert re.search(r"^strict = true$", settings, re.MULTILINE)
    assert checked is not None
    assert "dasha_ros" in ast.literal_eval(checked[1])


def test_ros_stays_on_the_upper_floors() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources()
        if room_of(module_of(path)) not in ROS_ROOMS
        for name, _ in imports_of(path)
        if name.split(".")[0] in ROS_PACKAGES or name.startswith(("dasha_ros.msg", "dasha_ros.action"))
    ]
    assert not wrong, wrong


def test_no_file_is_too_long_to_read() -> None:
    code = {".py", ".sh", ".xml", ".yaml", ".txt", ""}
    long = {
        str(path.relative_to(ROOT)): lines
        for path in tracked()
        if path.suffix in code and path.name not in {"LICENSE", "dasha.yaml"}
        and (lines := len(path.read_text(encoding="utf-8", errors="replace").splitlines())) > LONGEST_FILE
    }  # fmt: skip
    assert not long, f"more than {LONGEST_FILE} lines: {long}"


# Assembled, so that this file doesn't contain what it looks for.
FOREIGN_WORDS = (
    r"\b" + "pypi" + r"\.org\b",
    "files" + r"\.pythonhosted\.org",
    "deb" + r"\.debian\.org",
    "registry" + r"\.npmjs\.org",
    "/" + "work/",
    r"\b(issue|PR) ?" + r"#\d+\b",
    "_paul" + "_session",
)


@pytest.mark.parametrize("pattern", FOREIGN_WORDS)
def test_the_tree_names_no_registry_and_no_workshop(pattern: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in tracked()
        if path.suffix not in {".onnx", ".npz", ".png", ".jpg", ".webp"}
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="ignore").splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert not found, found


def test_nothing_fetched_is_committed() -> None:
    from dasha_ros.assets.catalogue import catalogue, sha256_of

    pinned = {file.sha256: file.name for package in catalogue() for file in package.files}
    committed = {str(path.relative_to(ROOT)): pinned.get(sha256_of(path)) for path in tracked()}
    assert not {path: name for path, name in committed.items() if name}
