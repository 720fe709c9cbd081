"""``colcon build`` in a workspace of its own, plain and with symlinks, and what it installs."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SOURCES = (
    "dasha_ros",
    "msg",
    "action",
    "launch",
    "config",
    "resource",
    "CMakeLists.txt",
    "package.xml",
    "setup.py",
)

pytestmark = [pytest.mark.slow]


@dataclass(frozen=True)
class Workspace:
    """A workspace that was built."""

    folder: Path
    symlinked: bool

    @property
    def prefix(self) -> Path:
        return self.folder / "install" / "dasha_ros"

    def run(self, code: str) -> str:
        """Run Python as a shell would that has sourced the workspace, without this checkout on the path."""
        forget = f"import sys; sys.path[:] = [p for p in sys.path if p != {str(ROOT)!r}]\n"
        sourced = ["bash", "-c", f'source "{self.folder}/install/local_setup.bash" && exec "$@"', "bash"]
        answer = subprocess.run(
            [*sourced, sys.executable, "-c", forget + code],
            env=environment(), cwd="/", capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert answer.returncode == 0, answer.stderr
        return answer.stdout


def environment() -> dict[str, str]:
    """As in a new shell, with ROS from this virtual environment."""
    foreign = ("_ROS_WHEELS_BOOTSTRAP_COMPLETE", "PYTHONPATH", "LD_LIBRARY_PATH")
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    return {**kept, "PATH": path, "AMENT_PREFIX_PATH": sys.prefix, "CMAKE_PREFIX_PATH": sys.prefix}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if importlib.util.find_spec("colcon_core") is None or shutil.which("c++") is None:
        pytest.skip("needs colcon and a C++ compiler: ./scripts/setup --dev")
    folder = tmp_path_factory.mktemp("workspace")
    # A copy: CMake refuses include folders below the sources, and this environment may lie there.
    for name in SOURCES:
        target = folder / "src" / "dasha_ros" / name
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, target)
    return folder


@pytest.fixture(scope="module", params=["plain", "symlink"])
def workspace(request: pytest.FixtureRequest, folder: Path) -> Workspace:
    # The second build takes over what the first compiled: only the installation differs,
    # and a staging folder in which a folder can't be replaced by a link.
    shutil.rmtree(folder / "install", ignore_errors=True)
    shutil.rmtree(folder / "build" / "dasha_ros" / "ament_cmake_python", ignore_errors=True)
    symlinked = request.param == "symlink"
    command = [sys.executable, "-m", "colcon", "build", *(["--symlink-install"] if symlinked else [])]
    command += ["--cmake-args", "-DBUILD_TESTING=OFF", "-G", "Ninja"]
    built = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return Workspace(folder, symlinked)


def test_executables_are_where_ros2_run_looks(workspace: Workspace) -> None:
    folder = workspace.prefix / "lib" / "dasha_ros"
    found = sorted(folder.iterdir())
    assert len(found) >= 8
    for executable in found:
        assert os.access(executable, os.X_OK), f"{executable.name} is not executable"
        code = f"import runpy; runpy.run_path({str(executable)!r}, run_name='imported')"
        workspace.run(code)


def test_command_line_runs(workspace: Workspace) -> None:
    command = workspace.prefix / "lib" / "dasha_ros" / "dasha"
    code = (
        f"import runpy; sys.argv = ['dasha', '--help']; runpy.run_path({str(command)!r}, run_name='__main__')"
    )
    assert "focus" in workspace.run(code)


def test_sources_messages_and_configuration_are_the_installed_ones(workspace: Workspace) -> None:
    said = workspace.run(
        "import dasha_ros.msg, dasha_ros.optics, dasha_ros.system.paths\n"
        "print(dasha_ros.optics.__file__, dasha_ros.msg.__file__, "
        "dasha_ros.system.paths.config_dir(), sep='\\n')"
    ).splitlines()
    assert all(line.startswith(str(workspace.prefix)) for line in said), said
    config = Path(said[2])
    assert {path.relative_to(ROOT / "config") for path in (ROOT / "config").rglob("*.yaml")} <= {
        path.relative_to(config) for path in config.rglob("*.yaml")
    }
    assert (config / "fastdds.xml").is_symlink() == workspace.symlinked
    assert (workspace.prefix / "share" / "dasha_ros" / "launch" / "dasha.launch.py").is_file()


def test_package_is_in_the_index(workspace: Workspace) -> None:
    code = "from ament_index_python import get_package_prefix; print(get_package_prefix('dasha_ros'))"
    assert workspace.run(code).strip() == str(workspace.prefix)
