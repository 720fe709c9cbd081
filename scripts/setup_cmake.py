"""How ./scripts/setup compiles the ROS interfaces: checks the compiler, avoids odd paths, runs cmake."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from setup_pip import SetupError, Ticker

PLAIN = re.compile(r"[\w./+@:-]+", re.ASCII)
"""Paths that need no quoting in shells, shebangs and CMake files."""


def check_compiler(python: Path, environment: dict[str, str]) -> None:
    """Check that the interfaces, which are C code for one Python, can be compiled."""
    ask = "import sys, sysconfig; print('%d.%d' % sys.version_info[:2], sysconfig.get_paths()['include'])"
    answer = subprocess.run(
        [str(python), "-c", ask], env=environment, capture_output=True, text=True, check=True
    )
    version, include = answer.stdout.strip().split(" ", 1)
    absent = []
    if not shutil.which(os.environ.get("CC", "cc")) or not shutil.which(os.environ.get("CXX", "c++")):
        absent.append("a C and C++ compiler        (Debian, Ubuntu: apt install build-essential)")
    if not Path(include, "Python.h").is_file():
        absent.append(f"the headers of Python {version}  (Debian, Ubuntu: apt install python{version}-dev)")
    if absent:
        raise SetupError("the ROS interfaces can't be compiled here. Install:\n  " + "\n  ".join(absent))


@contextmanager
def plain_path(folder: Path) -> Iterator[Path]:
    """The folder under a name without special characters, which the CMake files of ROS don't quote."""
    if PLAIN.fullmatch(str(folder)):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="dasha-build-") as place:
        link = Path(place, "checkout")
        link.symlink_to(folder, target_is_directory=True)
        yield link


def run_cmake(arguments: list[str], variables: dict[str, str], build: Path) -> None:
    """Run cmake and show its progress; if it fails, show its last lines and remove the build folder."""
    ticker, said = Ticker(), []
    with subprocess.Popen(
        ["cmake", *arguments], env=variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as cmake:
        assert cmake.stdout is not None
        for line in cmake.stdout:
            said.append(line.rstrip())
            if line.startswith("["):  # "[12/345] Building ..."; other lines matter only after an error
                ticker.tick(line.strip())
    ticker.done()
    if cmake.returncode:
        shutil.rmtree(build, ignore_errors=True)
        raise SetupError(f"cmake {arguments[0]} failed:\n  " + "\n  ".join(said[-30:]))
