"""Views of a folder of photographs that nobody prepared, for evaluations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dasha_ros.rl.cache_workers import Worker
from dasha_ros.rl.scenes.description import SceneSetError
from dasha_ros.rl.scenes.folder import folder_scene_set
from dasha_ros.rl.scenes.views import View

Report = Callable[[str, int, int], None]
"""Called with what is counted (``photographs`` or ``composites``), how many are done, of how many."""


def folder_views(
    folder: Path, composites: int = 0, *, seed: int = 0, report: Report | None = None
) -> tuple[list[View], dict[str, str]]:
    """Planes of every photograph in which the detector finds an object, and composites of them.

    Args:
        folder: With photographs; folders below count too.
        composites: How many two-depth views to try to make.
        seed: Of the composites.
        report: Told how far it is.

    Returns:
        The views, and the photographs that gave none with the reasons.

    Raises:
        SceneSetError: No such folder, no picture in it, or none with an object that the detector finds.
        ModelError: A model of the embedded perception is missing.
    """
    scene_set = folder_scene_set(folder, composites, seed=seed, folds=1)
    worker = Worker(scene_set)
    tell = report or (lambda what, done, total: None)
    assert scene_set.planes is not None
    names = scene_set.pictures(scene_set.planes.photographs)[0]
    views: list[View] = []
    skipped: dict[str, str] = {}
    for number, name in enumerate(names):
        tell("photographs", number, len(names))
        made, why_not = worker.planes(name, 0)
        views += made
        if not made:
            skipped[_shown(name, folder)] = why_not
    tell("photographs", len(names), len(names))
    if not views:
        reasons = "; ".join(f"{name}: {why}" for name, why in list(skipped.items())[:3])
        raise SceneSetError(
            f"none of the {len(names)} pictures in {folder} can be used ({reasons}): "
            "give photographs of things that the detector knows"
        )
    if scene_set.composites:
        # A photograph without an object can still be a background.
        useful = [name for name in names if _shown(name, folder) not in skipped]
        tell("composites", 0, composites)
        views += worker.composites(0, composites, useful, names)
        tell("composites", composites, composites)
    return views, skipped


def _shown(name: str, folder: Path) -> str:
    path = Path(name)
    root = folder.expanduser().resolve()
    return str(path.relative_to(root)) if path.is_relative_to(root) else name
