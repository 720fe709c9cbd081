"""Which photographs a learned policy knows, by their content: names and folders change."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dasha_ros.assets.catalogue import catalogue
from dasha_ros.learning.dataset.scenes.planes import stem
from dasha_ros.learning.training.run_folder import RunFolder, TrainingError
from dasha_ros.policies.learned.policy_file import PolicyInfo
from dasha_ros.system.paths import config_dir


def photographs_of(path: Path, info: PolicyInfo) -> frozenset[str] | None:
    """SHA-256 of the photographs that a policy learned from, or was chosen by; ``None``: nothing says which.

    The policy's file names them. One that is older holds only names of views; which photographs these are is
    said by ``run.json`` beside it, and by the catalogue for a policy that ships.
    """
    scenes = info.made.get("scenes")
    pictures = _pictures(path, info)
    if not pictures or not isinstance(scenes, dict):
        return None
    digests: dict[str, set[str]] = {}
    for name, digest in pictures:
        digests.setdefault(name, set()).add(digest)
    views = [view for part in ("train", "validation") for view in scenes.get(part, ())]
    return frozenset(digest for view in views for name in _stems(view) for digest in digests.get(name, ()))


def _pictures(path: Path, info: PolicyInfo) -> list[tuple[str, str]]:
    """Short names and SHA-256 of what a policy's training could see; none: unknown."""
    if isinstance(pictures := info.made.get("pictures"), list):
        return [(name, digest) for name, digest in pictures]
    if path.parent.resolve() == (config_dir() / "policies").resolve():
        return [(stem(file.name), file.sha256) for package in catalogue() for file in package.files]
    try:
        run = RunFolder(path.parent).info()
    except TrainingError:
        return []
    # Somebody may have put the policy of another run there.
    is_its_own = run.cache_key == info.made.get("cache_key") and run.scenes == info.made.get("scenes")
    return [(stem(name), digest) for name, digest in run.pictures.items()] if is_its_own else []


def _stems(view: str) -> Iterable[str]:
    """What may be the short names of a view's photographs, as `planes` and `composites` make its name.

    A composite joins two with a dash, which either may hold, too: each place is tried.
    """
    match view.split("/"):
        case ["plane", name, *_]:
            yield name
        case ["composite", _, _, both, *_]:
            words = both.split("-")
            for cut in range(1, len(words)):
                yield "-".join(words[:cut])
                yield "-".join(words[cut:])
