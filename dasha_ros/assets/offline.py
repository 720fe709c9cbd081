"""Copies fetched photographs and models to a folder, and from it back to where they are looked for.

For set-up without a network: ``python3 -m dasha_ros.assets.offline save|load FOLDER``. Every file is checked
against the catalogue on the way. Imports the standard library only, because set-up calls it first.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from dasha_ros.assets.catalogue import State, assets_dir, check, packages_of


class OfflineError(RuntimeError):
    """A file could not be copied; the message names it."""


def save(folder: Path) -> int:
    """Copy every fetched file of the base set into a folder; returns their number.

    Raises:
        OfflineError: One was not fetched, or is damaged.
        OSError: The folder can't be written.
    """
    return _copy(assets_dir(), folder, "run ./scripts/setup where there is a network")


def load(folder: Path) -> int:
    """Copy what is missing or damaged from such a folder; returns the number of files copied.

    Raises:
        OfflineError: The folder lacks a file, or holds another one under its name.
        OSError: The folder of fetched files can't be written.
    """
    return _copy(folder, assets_dir(), "copy the wheelhouse again")


def _copy(source: Path, target: Path, remedy: str) -> int:
    copied = 0
    for file in (file for package in packages_of(["base"]) for file in package.files):
        if check(file, target) is State.OK:
            continue
        state = check(file, source)
        if state is not State.OK:
            raise OfflineError(f"{source / file.name} is {state.value}: {remedy}")
        place = target / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        partial = place.with_name(f".{place.name}.{os.getpid()}.part")
        try:
            shutil.copyfile(source / file.name, partial)
            os.replace(partial, place)
        finally:
            partial.unlink(missing_ok=True)
        copied += 1
    return copied


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if len(given) != 2 or given[0] not in ("save", "load"):
        print("usage: python3 -m dasha_ros.assets.offline save|load FOLDER", file=sys.stderr)
        return 2
    try:
        count = (save if given[0] == "save" else load)(Path(given[1]))
    except (OfflineError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if count:
        print(f"      {count} photographs and models copied", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
