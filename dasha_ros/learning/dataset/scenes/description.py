"""Scene sets in YAML, validated. ``config/scenesets/training.yaml`` is the example to copy."""

from __future__ import annotations

import glob
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dasha_ros.assets.catalogue import assets_dir, catalogue
from dasha_ros.files.documents import read_yaml
from dasha_ros.files.errors import FileError
from dasha_ros.files.naming import expanded, no_such
from dasha_ros.files.picture_names import PICTURES
from dasha_ros.files.validation import reasons
from dasha_ros.system.paths import config_dir
from dasha_ros.twin.scene import Distance, Fraction

Range = tuple[float, float]


_OWN = frozenset({"name", "folder", "left_out"})
"""What a set has from its file's place, and not from its content."""


class SceneSetError(ValueError):
    """A scene set that can't be used; the message says why and what to do."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Framing(_Model):
    """Which part of a photograph fills the frame; see `twin.scene`."""

    zoom: Annotated[float, Field(ge=0.25, le=8.0)] = 1.0
    centre: tuple[Fraction, Fraction] = (0.5, 0.5)


class Planes(_Model):
    """Photographs as planes."""

    photographs: Annotated[list[str], Field(min_length=1)]
    """Names or patterns (``photos/*.jpg``)."""
    framings: Annotated[list[Framing], Field(min_length=1)] = [Framing()]
    """Tried for each photograph."""
    views_per_photograph: Annotated[int, Field(ge=1)] = 1
    """Number of views kept, best score first; no two of the same label and framing."""
    lost_at_dioptres: Annotated[float, Field(gt=0.0)] | None = None
    """Views whose object is still found as well at this defocus [1/m] are left out; none: all are kept."""


class Composites(_Model):
    """Cut-outs before photographs."""

    objects: Annotated[list[str], Field(min_length=1)]
    """Names or patterns. Pictures with an alpha channel are cut by it, others at the detector's box."""
    backgrounds: Annotated[list[str], Field(min_length=1)]
    count: Annotated[int, Field(ge=1)]
    """Number of composites to make, in all folds together."""
    far_share: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    """Share of views that ask for an object of the background."""
    object_distances_m: tuple[Distance, Distance] = (0.5, 1.4)
    background_distances_m: tuple[Distance, Distance] = (5.0, 20.0)
    widths: Range = (0.12, 0.45)
    """Widths of the cut-out, as fractions of the frame's width."""
    contrast_misleads: bool = True
    """Keep only views whose whole-frame contrast is greater when focused on what was not asked for."""

    @model_validator(mode="after")
    def _ordered(self) -> Composites:
        for key in ("object_distances_m", "background_distances_m", "widths"):
            low, high = getattr(self, key)
            if not 0 < low <= high:
                raise ValueError(f"{key} = {low:g}, {high:g}: the least first")
        if self.object_distances_m[1] >= self.background_distances_m[0]:
            raise ValueError("object_distances_m must end before background_distances_m begins")
        return self


class SceneSet(_Model):
    """A description of many views."""

    name: str
    folder: Path
    """Folder of relative names that are not assets."""
    description: str = ""
    seed: int = 0
    folds: Annotated[int, Field(ge=1, le=20)] = 5
    min_score: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.35
    """Least score of the object in the sharp view, at every exposure that counts as good."""
    planes: Planes | None = None
    composites: Composites | None = None
    disturbed: Annotated[int, Field(ge=0, le=10)] = 0
    """Number of copies of each view, each under a random disturbance, that are learned from."""
    left_out: dict[str, str] = {}
    """Files of a folder that are not used, and why."""

    @model_validator(mode="after")
    def _not_empty(self) -> SceneSet:
        if self.planes is None and self.composites is None:
            raise ValueError("a scene set needs `planes` or `composites`")
        return self

    def pictures(self, patterns: list[str]) -> tuple[list[str], list[str]]:
        """The pictures that patterns stand for.

        Args:
            patterns: Names or patterns, of assets or relative to the set's folder.

        Returns:
            Names in order, each once: those that are on this machine, and those that are not.
        """
        catalogued = [file.name for package in catalogue() for file in package.files]
        known = {
            *(name for name in catalogued if name.lower().endswith(PICTURES)),
            *_files_below(assets_dir()),
        }
        here: list[str] = []
        absent: list[str] = []
        for pattern in patterns:
            local = self._local(pattern)
            matches = local or sorted(name for name in known if fnmatch(name, pattern)) or [pattern]
            for name in matches:
                (here if local or (assets_dir() / name).is_file() else absent).append(name)
        return list(dict.fromkeys(here)), list(dict.fromkeys(absent))

    def _local(self, pattern: str) -> list[str]:
        """The pictures that a pattern stands for, relative to the set's folder or absolute."""
        whole = Path(glob.escape(str(self.folder))) / expanded(pattern, SceneSetError)
        return sorted(
            name
            for name in glob.glob(str(whole), recursive=True)
            if Path(name).suffix.lower() in PICTURES and not Path(name).is_dir()
        )


def scene_set_names() -> tuple[str, ...]:
    """Names of the scene sets that ship with the package."""
    return tuple(sorted(path.stem for path in (config_dir() / "scenesets").glob("*.yaml")))


def load_scene_set(name_or_path: str | Path) -> SceneSet:
    """A scene set by the name of a shipped one, or from a YAML file.

    Raises:
        SceneSetError: No such set, no YAML, or a description that can't be used.
    """
    text = str(name_or_path)
    is_path = isinstance(name_or_path, Path) or text.endswith((".yaml", ".yml"))
    if not is_path and text not in scene_set_names():
        raise SceneSetError(no_such("scene set", text, scene_set_names()))
    try:
        path = expanded(text) if is_path else config_dir() / "scenesets" / f"{text}.yaml"
        document = read_yaml(path)
    except FileError as error:
        raise SceneSetError(f"scene set {error}") from error
    if not isinstance(document, dict):
        raise SceneSetError(f"scene set {path} must hold the keys `planes` or `composites`")
    if reserved := sorted(_OWN & document.keys()):
        raise SceneSetError(
            f"scene set {path}: key {reserved[0]} is not allowed; the file's own name and place count"
        )
    try:
        return SceneSet(name=path.stem, folder=path.parent.resolve(), **document)
    except (ValidationError, TypeError) as error:
        raise SceneSetError(f"scene set {path}: {reasons(error, model=SceneSet, but=_OWN)}") from error


def _files_below(folder: Path) -> list[str]:
    return [
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix.lower() in PICTURES and path.is_file()
    ]
