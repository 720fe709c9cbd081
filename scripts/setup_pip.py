"""How ./scripts/setup installs pinned packages: with progress, and with repair after an interruption."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

WIDTH = 70
"""Characters of a progress line."""
LOOK_S = 0.2
"""How often the folder of packages is checked [s]."""


class SetupError(Exception):
    """A step failed; the message says what to do."""


def told(error: SetupError | OSError) -> str:
    """What happened, for people; Python's own words for an `OSError` begin with its number."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror}; mend that, and run it again to go on"


class Ticker:
    """Progress of a long step: one changing line on a terminal, a line every few seconds elsewhere."""

    def __init__(self) -> None:
        self._on_terminal = sys.stderr.isatty()
        self._last = 0.0

    def tick(self, text: str) -> None:
        """Show the step's state, but no more often than a person can read it."""
        if time.monotonic() - self._last < (0.1 if self._on_terminal else 5.0):
            return
        self._last = time.monotonic()
        if self._on_terminal:
            print(f"\r\033[K      {shortened(text)}", end="", file=sys.stderr, flush=True)
        else:
            say(f"      {shortened(text)}")

    def done(self) -> None:
        """Clear the changing line."""
        if self._on_terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def shortened(text: str) -> str:
    """The text, cut between words to fit one line."""
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 4].rsplit(' ', 1)[0]} ..."


def say(text: str) -> None:
    """Print a line of progress."""
    print(text, file=sys.stderr, flush=True)


def install(python: Path, locks: list[Path], environment: dict[str, str]) -> None:
    """Install every pin of the lock files.

    Raises:
        SetupError: pip failed; the message holds its errors.
    """
    command = [str(python), "-m", "pip", "install", "--no-deps", "--no-warn-script-location"]
    command += ["--disable-pip-version-check", "--progress-bar", "off"]
    for lock in locks:
        command += ["--requirement", str(lock)]
    total = sum(not line.startswith("#") for lock in locks for line in lock.read_text().splitlines())
    ticker, count, said = Ticker(), 0, []
    over, watch = threading.Event(), None
    with subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            said.append(line.rstrip())
            if line.startswith(("Collecting", "Requirement already satisfied", "Ignoring")):
                count += 1
                if not line.startswith("Ignoring"):  # pins for other versions of Python
                    ticker.tick(f"{count}/{total} {line.split('(from')[0].strip()}")
            elif line.startswith("Installing collected"):
                ticker.done()
                # pip prints nothing more until all are unpacked, which takes a minute or longer.
                unpacking = line.count(",") + 1
                say(f"      unpacking {unpacking} packages")
                watch = threading.Thread(target=_watch_unpacking, args=(over, python, unpacking, ticker))
                watch.start()
    over.set()
    if watch is not None:
        watch.join()
    ticker.done()
    if pip.returncode:
        errors = [line for line in said if line.startswith("ERROR")] or said[-5:]
        raise SetupError(
            "pip could not install the pinned packages:\n  "
            + "\n  ".join(errors)
            + f"\n{_advice(environment)} Run it again: what is installed is kept."
        )


def _advice(environment: dict[str, str]) -> str:
    if "PIP_NO_INDEX" in environment and (folder := environment.get("PIP_FIND_LINKS")):
        return f"pip may use {folder} only: build that folder again, where there is a network."
    return "Is this machine offline, or does pip need a proxy or another index (`pip config`)?"


def _watch_unpacking(over: threading.Event, python: Path, total: int, ticker: Ticker) -> None:
    """Show how many packages are unpacked until pip has ended."""
    before = _installed(python)
    while not over.wait(LOOK_S):
        ticker.tick(f"{max(0, _installed(python) - before)}/{total} unpacked")


def _installed(python: Path) -> int:
    """The number of packages in a virtual environment."""
    return sum(1 for _ in python.parent.parent.glob("lib/python3.*/site-packages/*.dist-info"))


def forget_broken(site_packages: Path) -> list[str]:
    """Make pip forget packages that an interrupted run left incomplete, so that it reinstalls them.

    A package is complete if its RECORD, which pip writes last, names only files that exist.

    Returns:
        The names of the forgotten packages.
    """
    forgotten = []
    for info in site_packages.glob("*.dist-info"):
        record = info / "RECORD"
        if record.is_file() and all(
            name.endswith(".pyc") or (site_packages / name).exists()
            for name, *_ in csv.reader(record.read_text(encoding="utf-8").splitlines())
        ):
            continue
        shutil.rmtree(info)
        forgotten.append(info.name.rsplit("-", 2)[0])
    return forgotten
