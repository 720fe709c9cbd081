"""Where percept caches lie on this machine, and which of them is the wanted one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from dasha_ros.files.naming import expanded
from dasha_ros.learning.dataset.cache.layout import Meta
from dasha_ros.learning.dataset.cache.store import CacheError, Store


def cache_root() -> Path:
    """Where caches lie by default: ``$XDG_CACHE_HOME/dasha_ros/percepts``."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "dasha_ros" / "percepts"


def found_cache(path: str | Path | None = None) -> Path:
    """The folder of a cache.

    Args:
        path: A folder, or its name below `cache_root`; left out: the newest there.

    Raises:
        CacheError: There is none yet.
    """
    if path is not None:
        given = expanded(path, CacheError)
        return given if given.exists() or not (cache_root() / path).exists() else cache_root() / path
    found = sorted(cache_root().glob("*/meta.json"), key=lambda file: file.stat().st_mtime)
    if not found:
        raise CacheError(
            f"there is no percept cache below {cache_root()} yet: make one with `dasha cache build`"
        )
    return found[-1].parent


def first_cache(
    folders: Iterable[Path], is_wanted: Callable[[Meta], bool]
) -> tuple[Path | None, list[CacheError]]:
    """The first folder with a wanted cache, if any, and why those before it can't be looked into.

    A damaged cache may be the wanted one, or another that must not be in the way.
    """
    damaged: list[CacheError] = []
    for folder in folders:
        try:
            if is_wanted(Store.load(folder).meta):
                return folder, damaged
        except CacheError as error:
            damaged.append(error)
    return None, damaged


def not_looked_into(damaged: Sequence[CacheError]) -> str:
    """What to add to the sentence that no cache was found."""
    return f" (not looked into: {'; '.join(dict.fromkeys(map(str, damaged)))})" if damaged else ""
