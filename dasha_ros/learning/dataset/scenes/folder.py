"""A scene set made of any folder of photographs."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from dasha_ros.files.errors import shown
from dasha_ros.files.naming import expanded
from dasha_ros.files.picture_names import READ, pictures_below
from dasha_ros.learning.dataset.scenes.description import Composites, Framing, Planes, SceneSet, SceneSetError

MOST_SHOWN = 5
"""Number of reasons that an error names."""


def folder_scene_set(folder: Path, composites: int = 0, *, seed: int = 0, folds: int = 5) -> SceneSet:
    """Planes of every picture in a folder, and composites of them.

    The detector finds the objects in the sharp pictures. From a picture without an alpha channel,
    composites take a rectangle around the box of its object.

    Args:
        folder: With pictures; folders below count too.
        composites: How many two-depth views to make.
        seed: Seed of folds and composites.
        folds: See `SceneSet`.

    Raises:
        SceneSetError: No such folder, or no picture in it.
    """
    folder = expanded(folder, SceneSetError).resolve()
    if not folder.is_dir():
        why = "it is a file" if folder.exists() else "it is not there"
        raise SceneSetError(f"{shown(folder)} is no folder: {why}; give a folder with photographs")
    names, left_out = pictures_below(folder)
    if not names:
        others = "; ".join(f"{name}: {why}" for name, why in list(left_out.items())[:MOST_SHOWN])
        raise SceneSetError(
            f"{folder} holds no pictures that can be read ({', '.join(READ)})"
            + (f"; {others}" if others else "")
        )
    # A bracket, too, so that no name is taken for the home folder of a user.
    literal = [re.sub(r"^~", "[~]", glob.escape(name)) for name in names]
    return SceneSet(
        name=folder.name or "folder",
        folder=folder,
        description=f"Every picture in {folder}",
        left_out=left_out,
        seed=seed,
        folds=folds,
        planes=Planes(photographs=literal, framings=[Framing(), Framing(zoom=0.6), Framing(zoom=1.6)]),
        composites=Composites(objects=literal, backgrounds=literal, count=composites) if composites else None,
    )
