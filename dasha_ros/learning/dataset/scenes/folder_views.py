"""Views made of any folder of photographs, for evaluations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dasha_ros.files.errors import shown
from dasha_ros.files.naming import expanded
from dasha_ros.learning.dataset.cache.workers import Worker
from dasha_ros.learning.dataset.scenes.description import SceneSetError
from dasha_ros.learning.dataset.scenes.folder import folder_scene_set
from dasha_ros.learning.dataset.scenes.planes import Unreadable
from dasha_ros.learning.dataset.scenes.summary import advice
from dasha_ros.learning.dataset.scenes.views import View

Report = Callable[[str, int, int], None]
"""Called with what is counted (``photographs`` or ``composites``), how many are done, of how many."""


def folder_views(
    folder: Path, composites: int = 0, *, seed: int = 0, report: Report | None = None
) -> tuple[list[View], dict[str, str]]:
    """Planes of every photograph in which the detector finds an object, and composites of them.

    Args:
        folder: With photographs; folders below count too.
        composites: How many two-depth views to try to make.
        seed: Seed of the composites.
        report: Told how far it is.

    Returns:
        The views, and the files that gave none, with the reasons.

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
            skipped[_relative(name, folder)] = why_not
    tell("photographs", len(names), len(names))
    if not views:
        raise SceneSetError(
            f"none of the {len(names)} pictures in {shown(folder)} can be used: {advice(skipped)}"
        )
    if scene_set.composites:
        # A photograph without an object can still serve as a background.
        useful = [name for name in names if _relative(name, folder) not in skipped]
        readable = [
            name for name in names if not isinstance(skipped.get(_relative(name, folder)), Unreadable)
        ]
        tell("composites", 0, composites)
        views += worker.composites(0, composites, useful, readable)[0]
        tell("composites", composites, composites)
    used = {_relative(photo, folder) for view in views for photo in view.info.photographs}
    return views, {name: why for name, why in {**skipped, **scene_set.left_out}.items() if name not in used}


def _relative(name: str, folder: Path) -> str:
    path = Path(name)
    root = expanded(folder).resolve()
    return str(path.relative_to(root)) if path.is_relative_to(root) else name
