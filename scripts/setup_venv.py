"""The steps of ./scripts/setup. Uses the standard library only, because nothing is installed at the start.

Every step first checks by a hash of its inputs whether its result is still valid. So a second run takes a
second, and a run after an interruption does the rest.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from setup_cmake import PLAIN, check_compiler, plain_path, run_cmake
from setup_pip import SetupError, forget_broken, install, say, told
from setup_ros import DEFAULT_ROS, ROS_LAYERS, choose_ros, ubuntu_requirements
from setup_wheelhouse import Wheelhouse

ROOT = Path(__file__).resolve().parent.parent
ROS_ROOT = Path("/opt/ros")
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "dasha-setup.json"
UNFINISHED = VENV / "dasha-setup-unfinished"
LOCK = VENV / ".dasha-setup-lock"
BUILD = VENV / "interfaces"

OPTIONAL_LAYERS = ("hardware", "docs", "dev", "torch", "cluster")
IMPLIED = {"dev": ("hardware", "docs")}
PYTHONS = tuple((3, minor) for minor in range(10, 15))
LONGEST_SHEBANG = 120
"""Linux reads at most 127 bytes."""
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

# Variables that a shell may keep from another environment.
FOREIGN = (
    "PYTHONPATH",
    "PYTHONHOME",
    "AMENT_PREFIX_PATH",
    "CMAKE_PREFIX_PATH",
    "_ROS_WHEELS_BOOTSTRAP_COMPLETE",
)


def environment(**extra: str) -> dict[str, str]:
    """The environment of every child process: this virtual environment first, nothing from others."""
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    path = f"{VENV / 'bin'}{os.pathsep}{kept.get('PATH', os.defpath)}"
    return {**kept, "PATH": path, "VIRTUAL_ENV": str(VENV), **extra}


def check_machine() -> None:
    """Refuse machines where the wheels can't work, and name what works there."""
    distro = os.environ.get("ROS_DISTRO", "")
    if distro and (ROS_ROOT / distro).is_dir():
        raise SetupError(
            f"ROS 2 {distro} is sourced in this shell; a second ROS from wheels must not mix with it.\n"
            "Build in a workspace instead:\n"
            f"  mkdir -p ~/dasha_ws/src && ln -s {ROOT} ~/dasha_ws/src/dasha_ros && cd ~/dasha_ws\n"
            "  python3 -m venv --system-site-packages venv && touch venv/COLCON_IGNORE\n"
            f"  source venv/bin/activate && pip install -r src/dasha_ros/{ubuntu_requirements(distro)}\n"
            "  rosdep install --from-paths src --ignore-src -y\n"
            "  colcon build --symlink-install && source install/setup.bash\n"
            "  python3 -m dasha_ros.assets.fetch && ros2 run dasha_ros dasha demo\n"
            "Or run this in a shell that has not sourced ROS."
        )
    if (platform.system(), platform.machine()) != ("Linux", "x86_64") or platform.libc_ver()[0] != "glibc":
        raise SetupError(
            f"this machine is {platform.system()} {platform.machine()}, and the ROS 2 wheels are for "
            "Linux x86_64 with glibc. Install ROS 2 Jazzy from its own packages and build with colcon; "
            "the parts that need no ROS install with `pip install .`."
        )


def make_venv() -> None:
    """Make a virtual environment, unless there is one with a working Python and pip."""
    ask = [str(PYTHON), "-c", "import sys, pip._internal.cli.main; print(*sys.version_info[:2])"]
    try:
        answer = subprocess.run(ask, env=environment(), capture_output=True, text=True, check=False)
    except OSError:
        answer = None
    if answer is not None and answer.returncode == 0:
        if tuple(map(int, answer.stdout.split())) not in PYTHONS:
            raise SetupError(
                f"{VENV} was made with an unsupported Python; remove that folder and run this again"
            )
        return
    say(f"==> making .venv with Python {VERSION}")
    for entry in VENV.iterdir():
        if entry == LOCK:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    # In an activated virtual environment sys.executable is a link into it, perhaps the one just emptied.
    base = getattr(sys, "_base_executable", sys.executable)
    made = subprocess.run([base, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
    if made.returncode:
        raise SetupError(
            f"`python{VERSION} -m venv` failed (Debian, Ubuntu: apt install python{VERSION}-venv):\n"
            f"{made.stdout}{made.stderr}"
        )


def running_python() -> str:
    """The version of the virtual environment's Python, such as ``3.11``."""
    return site_packages().parent.name.removeprefix("python")


def site_packages() -> Path:
    """The folder of the virtual environment's packages."""
    return next((VENV / "lib").glob("python3.*/site-packages"))


def lock_digest(layer: str) -> str:
    """The hash that says which lock file of a layer was installed."""
    return digest([ROOT / "requirements" / f"{layer}.lock"])


def outdated(layers: list[str], stamp: dict[str, Any]) -> list[str]:
    """The layers that are not installed as their lock files say."""
    return [layer for layer in layers if stamp.get("layers", {}).get(layer) != lock_digest(layer)]


def install_layers(layers: list[str], stamp: dict[str, Any], repair: bool) -> None:
    """Install the lock files that changed since they were installed."""
    installed: dict[str, str] = stamp.setdefault("layers", {})
    if repair or UNFINISHED.exists():
        if broken := forget_broken(site_packages()):
            say(f"      found incomplete: {', '.join(sorted(broken))}")
        installed.clear()
    todo = outdated(layers, stamp)
    if todo:
        say(f"==> installing packages: {', '.join(todo)}")
        UNFINISHED.touch()
        install(PYTHON, [ROOT / "requirements" / f"{layer}.lock" for layer in todo], environment())
        fix_wheels()
        UNFINISHED.unlink()
        installed.update({layer: lock_digest(layer) for layer in todo})
        write_stamp(stamp)
    link_checkout()


def fix_wheels() -> None:
    """Remove the wheel builder's own Python folder from the exported CMake files."""
    for path in (VENV / "share").glob("*/cmake/*.cmake"):
        text = path.read_text(encoding="utf-8")
        if '"/opt/python/cp3' in text:
            before, *quoted = text.split('"/opt/python/cp3')
            # The value becomes empty, but its line must stay, or the CMake call would break.
            path.write_text(
                before + "".join('""' + rest.split('"', 1)[1] for rest in quoted), encoding="utf-8"
            )


def link_checkout() -> None:
    """Make Python use the checkout and find ROS without a sourced shell, and install the command."""
    write_if_changed(
        site_packages() / "dasha_checkout.pth",
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        'import os, sys; os.environ.setdefault("AMENT_PREFIX_PATH", sys.prefix)\n',
    )
    command = VENV / "bin" / "dasha"
    # Guarded, because processes that it starts by multiprocessing import this file.
    write_if_changed(
        command,
        f"{shebang(PYTHON)}\nimport sys\n\n"
        "try:\n    from dasha_ros.cli import main\n\n"
        '    if __name__ == "__main__":\n        sys.exit(main())\n'
        "except KeyboardInterrupt:\n    sys.exit(130)\n",
    )
    command.chmod(0o755)


def shebang(python: Path) -> str:
    """The first lines of a script for this Python, even if its path is long or has special characters."""
    if PLAIN.fullmatch(str(python)) and len(str(python)) <= LONGEST_SHEBANG:
        return f"#!{python}"
    # The shell runs the second line as a command; Python reads it as an unused string.
    quoted = str(python).replace("'", "'\"'\"'")
    return f"#!/bin/sh\n'''exec' '{quoted}' \"$0\" \"$@\"\n' '''"


def build_interfaces(stamp: dict[str, Any]) -> None:
    """Compile the messages and actions into the virtual environment."""
    ros_lock = ROOT / "requirements" / f"{ROS_LAYERS[stamp['ros']]}.lock"
    for key, folder in (("vision_msgs", Path("scripts/vision_msgs")), ("interfaces", Path())):
        project = ROOT / folder
        files = [*project.glob("msg/*.msg"), *project.glob("action/*.action"), project / "CMakeLists.txt"]
        wanted = digest([*files, project / "package.xml", ros_lock], str(ROOT))
        if stamp.get(key) != wanted:
            build_project(key, folder, stamp)
            stamp.update({key: wanted, "root": str(ROOT)})
            write_stamp(stamp)


def build_project(key: str, folder: Path, stamp: dict[str, Any]) -> None:
    """Compile one package of interfaces; ``folder`` is relative to the checkout."""
    check_compiler(PYTHON, environment())
    say("==> building the ROS interfaces" + (f" of {key}" if folder != Path() else ""))
    target = BUILD if folder == Path() else BUILD.with_name(key)
    if stamp.get("root") != str(ROOT):
        shutil.rmtree(target, ignore_errors=True)
    tools = [tool for tool in ("cmake", "ninja") if not shutil.which(tool, path=environment()["PATH"])]
    if tools:
        say(f"      {' and '.join(tools)} not found: taken from pip")
        install(PYTHON, [ROOT / "requirements" / "build.lock"], environment())
    with plain_path(ROOT) as root:
        if root != ROOT:
            # CMake builds only where it was configured, and this path is different each time.
            shutil.rmtree(target, ignore_errors=True)
        venv, build = root / VENV.relative_to(ROOT), str(root / target.relative_to(ROOT))
        prefix = environment(AMENT_PREFIX_PATH=str(venv), CMAKE_PREFIX_PATH=str(venv))
        configure = ["-S", str(root / folder), "-B", build, "-G", "Ninja", f"-DCMAKE_INSTALL_PREFIX={venv}"]
        configure += [f"-DPython3_EXECUTABLE={venv / 'bin' / 'python'}"]
        configure += ["-DBUILD_TESTING=OFF", "-DDASHA_INSTALL_PYTHON=OFF"]
        for arguments in (configure, ["--build", build], ["--install", build]):
            run_cmake(arguments, prefix, target)


def fetch_assets() -> None:
    """Download photographs and models; quick if they are there."""
    if subprocess.run(
        [str(PYTHON), "-m", "dasha_ros.assets.fetch"], cwd=ROOT, env=environment(), check=False
    ).returncode:
        raise SetupError("the photographs and models are incomplete (see above); run this again")


def digest(paths: list[Path], extra: str = "") -> str:
    """One hash of several files and their names."""
    total = hashlib.sha256(extra.encode())
    for path in sorted(paths):
        total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def write_if_changed(path: Path, text: str) -> None:
    """Write a small file in one step, so that another process never sees half of it."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    scratch = path.with_name(path.name + ".new")
    scratch.write_text(text, encoding="utf-8")
    os.replace(scratch, path)


def write_stamp(stamp: dict[str, Any]) -> None:
    """Save what is done."""
    write_if_changed(STAMP, json.dumps(stamp, indent=2) + "\n")


def read_stamp() -> dict[str, Any]:
    """What earlier runs did; empty if unknown."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def main() -> int:
    """Run the steps in order."""
    parser = argparse.ArgumentParser(
        prog="./scripts/setup",
        description="Make everything ready in .venv.",
        epilog="./scripts/setup --system installs packages of Debian or Ubuntu for tests, nothing else.",
    )
    for layer, brings in (
        ("dev", "what the tests and linters need"),
        ("torch", "torch, stable-baselines3, ultralytics (5 GB)"),
        ("docs", "what builds the documentation's site"),
        ("cluster", "Ray, for studies on several machines"),
        ("hardware", "what real devices need"),
    ):
        parser.add_argument(f"--{layer}", action="store_true", help=f"also {brings}")
    parser.add_argument(
        "--ros", choices=ROS_LAYERS, help=f"the ROS 2 distribution of a new .venv (default: {DEFAULT_ROS})"
    )
    parser.add_argument(
        "--repair", action="store_true", help="look for incomplete packages and install them again"
    )
    parser.add_argument(
        "--wheelhouse",
        type=Path,
        metavar="DIR",
        help="take everything from this folder, without a network; an empty folder is filled first",
    )
    parser.add_argument("--wheelhouse-build", action="store_true", help="fill the folder again, or add to it")
    options = parser.parse_args()
    if options.wheelhouse_build and options.wheelhouse is None:
        parser.error("--wheelhouse-build needs --wheelhouse DIR")
    started = time.monotonic()
    try:
        check_machine()
        VENV.mkdir(exist_ok=True)
        with LOCK.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            make_venv()
            stamp = read_stamp()
            stamp["ros"] = choose_ros(options.ros, stamp, VENV)
            write_stamp(stamp)
            base = (ROS_LAYERS[stamp["ros"]], "core")
            asked = {layer for layer in OPTIONAL_LAYERS if getattr(options, layer)}
            asked |= {implied for layer in asked for implied in IMPLIED.get(layer, ())}
            asked |= set(stamp.get("layers", {}))
            layers = [*base, *(layer for layer in OPTIONAL_LAYERS if layer in asked)]
            house = None if options.wheelhouse is None else Wheelhouse(options.wheelhouse)
            filling = house is not None and (options.wheelhouse_build or house.is_new)
            locks = {layer: ROOT / "requirements" / f"{layer}.lock" for layer in (*layers, "build")}
            facts = {"python": running_python(), "ros": stamp["ros"]}
            if house is not None and filling:
                house.collect(PYTHON, locks, environment())
            elif house is not None:
                house.check({layer: locks[layer] for layer in (*outdated(layers, stamp), "build")}, facts)
                os.environ.update(house.variables())
                house.hand_over(PYTHON, cwd=ROOT, env=environment())
            install_layers(layers, stamp, options.repair)
            build_interfaces(stamp)
            fetch_assets()
            if house is not None and filling:
                house.close(PYTHON, locks, facts, cwd=ROOT, env=environment())
    except (SetupError, OSError) as error:
        say(f"error: {told(error)}")
        return 1
    except KeyboardInterrupt:
        say("\ninterrupted; run it again to go on")
        return 130
    took_s = time.monotonic() - started
    say(f"ready: .venv with ROS 2 {stamp['ros']}, {', '.join(layers[1:])} ({took_s:.1f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
