"""A scene set of a folder of photographs that nobody prepared."""

from __future__ import annotations

from pathlib import Path

from dasha_ros.rl.scenes.description import PICTURES, Composites, Framing, Planes, SceneSet, SceneSetError


def folder_scene_set(folder: Path, composites: int = 0, *, seed: int = 0, folds: int = 5) -> SceneSet:
    """Planes of every picture in a folder, and composites of them.

    Objects are found by the detector in the sharp picture. What a picture without an alpha
    channel lends to composites is a card, cut at the box of its object.

    Args:
        folder: With pictures; folders below count too.
        composites: How many two-depth views to make.
        seed: Of folds and composites.
        folds: See `SceneSet`.

    Raises:
        SceneSetError: No such folder, or no picture in it.
    """
    folder = Path(folder).expanduser().resolve()
    if not folder.is_dir():
        raise SceneSetError(f"there is no folder {folder}")
    names = sorted(
        p.relative_to(folder).as_posix()
        for p in folder.rglob("*")
        if p.suffix.lower() in PICTURES and p.is_file()
    )
    if not names:
        raise SceneSetError(f"{folder} holds no pictures ({', '.join(PICTURES)})")
    # A name with brackets is no pattern here.
    literal = [name.replace("[", "[[]") for name in names]
    return SceneSet(
        name=folder.name or "folder",
        folder=folder,
        description=f"Every picture in {folder}",
        seed=seed,
        folds=folds,
        planes=Planes(photographs=literal, framings=[Framing(), Framing(zoom=0.6), Framing(zoom=1.6)]),
        composites=Composites(objects=literal, backgrounds=literal, count=composites) if composites else None,
    )
