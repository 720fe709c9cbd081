"""Scenes of the twin: photographs at distances, described in YAML and validated.

Copy ``config/scenes/motorcycle_street.yaml`` to make your own. A scene is a list of layers, nearest first,
and of objects whose true distance evaluations may ask for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dasha_ros.files.documents import read_yaml
from dasha_ros.files.errors import FileError
from dasha_ros.files.naming import expanded, no_such
from dasha_ros.files.validation import reasons
from dasha_ros.system.paths import config_dir
from dasha_ros.twin.world import DISTANCE_MAX_M, DISTANCE_MIN_M

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Box = tuple[Fraction, Fraction, Fraction, Fraction]
"""left, top, right, bottom as fractions of the photograph."""
Distance = Annotated[float, Field(ge=DISTANCE_MIN_M, le=DISTANCE_MAX_M)]
"""Distance from the lens [m]."""
_OWN = frozenset({"name", "folder"})
"""What a scene has from its file's place, and not from its content."""


class SceneError(ValueError):
    """A scene can't be used; the message names the file, the key and the reason."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)


class RectangleCut(_Model):
    """A rectangle of the photograph, like a picture card."""

    shape: Literal["rectangle"]
    box: Box = (0.0, 0.0, 1.0, 1.0)


class EllipseCut(_Model):
    """The ellipse inside a box of the photograph."""

    shape: Literal["ellipse"]
    box: Box


class PolygonCut(_Model):
    """An outline drawn by hand."""

    shape: Literal["polygon"]
    points: Annotated[list[tuple[Fraction, Fraction]], Field(min_length=3)]


class AlphaCut(_Model):
    """The part that the photograph's own alpha channel shows."""

    shape: Literal["alpha"]


class DisparityCut(_Model):
    """The largest connected region nearer than a disparity, for photographs with a disparity map."""

    shape: Literal["disparity"]
    map: str
    """Logical name of the map, of the photograph's size; see `photograph.read_disparity`."""
    above: float
    """Least disparity [px]."""
    without_floor: bool = False
    """Whether to remove the plane that the photograph's lowest rows show."""


Cut = Annotated[
    RectangleCut | EllipseCut | PolygonCut | AlphaCut | DisparityCut, Field(discriminator="shape")
]


class _Layer(_Model):
    photo: str
    """Logical name (``photos/bus.jpg``), or a path: absolute, or relative to the scene's file."""
    distance_m: Distance
    light: Annotated[float, Field(ge=0.001, le=1000.0)] = 1.0
    """How many times brighter the layer is lit than the world is: a window behind a face, a lamp on a cup."""


class _FrameLayer(_Layer):
    centre: tuple[Fraction, Fraction] = (0.5, 0.5)
    """The part of the photograph to keep if the frame can't show all of it."""
    zoom: Annotated[float, Field(ge=0.25, le=8.0)] = 1.0
    """With 1, the photograph just fills the frame. With less, its mirror image continues around it."""


class PhotographLayer(_FrameLayer):
    """A flat photograph that fills the frame."""

    kind: Literal["photograph"]


class DepthLayer(_FrameLayer):
    """A photograph with depth that fills the frame. ``distance_m`` is the distance of its nearest part."""

    kind: Literal["depth"]
    map: str
    """Logical name of the disparity map, of the photograph's size; see `photograph.read_disparity`."""
    farthest_m: Distance
    slices: Annotated[int, Field(ge=2, le=32)] = 10

    @model_validator(mode="after")
    def _ordered(self) -> DepthLayer:
        if self.farthest_m <= self.distance_m:
            raise ValueError(f"farthest_m {self.farthest_m:g} must lie beyond distance_m {self.distance_m:g}")
        return self


class CutoutLayer(_Layer):
    """A part cut out of a photograph."""

    kind: Literal["cutout"]
    cut: Cut
    width: Annotated[float, Field(gt=0.01, le=2.0)]
    """Width of the cut-out, as a fraction of the frame's width."""
    centre: tuple[Annotated[float, Field(ge=-0.5, le=1.5)], Annotated[float, Field(ge=-0.5, le=1.5)]]
    """Centre of the cut-out, as fractions of the frame's width and height."""


Layer = Annotated[PhotographLayer | DepthLayer | CutoutLayer, Field(discriminator="kind")]


class SceneObject(_Model):
    """An object that a detector can find, and its layer."""

    label: Annotated[str, Field(min_length=1)]
    layer: Annotated[int, Field(ge=0)]
    distance_m: Distance | None = None
    """Distance inside a layer with depth; in other layers, the layer's distance counts."""


class Scene(_Model):
    """The scene before the camera."""

    name: str
    folder: Path
    """The folder where relative paths of photographs begin."""
    description: str = ""
    white_reflectance: Annotated[float, Field(gt=0.0, le=1.0)] = 0.9
    """Reflectance of the photographs' white."""
    layers: Annotated[tuple[Layer, ...], Field(min_length=1)]
    """The layers, nearest first."""
    objects: tuple[SceneObject, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Scene:
        distances = self.distances_m
        if list(distances) != sorted(distances):
            raise ValueError(f"layers must stand nearest first; their distances are {list(distances)}")
        for i, layer in enumerate(self.layers):
            is_last = i == len(self.layers) - 1
            if is_last == isinstance(layer, CutoutLayer):
                raise ValueError(
                    f"layers.{i}: the farthest layer must fill the frame (photograph or depth), "
                    f"those before it must be cut-outs; this one is a {layer.kind}"
                )
        for i, thing in enumerate(self.objects):
            self._check_object(f"objects.{i}", thing)
        return self

    def _check_object(self, where: str, thing: SceneObject) -> None:
        if thing.layer >= len(self.layers):
            raise ValueError(f"{where}.layer is {thing.layer}; there are layers 0..{len(self.layers) - 1}")
        layer = self.layers[thing.layer]
        if not isinstance(layer, DepthLayer):
            if thing.distance_m is not None:
                raise ValueError(f"{where}.distance_m: layer {thing.layer} is flat and has its own distance")
        elif thing.distance_m is None or not layer.distance_m <= thing.distance_m <= layer.farthest_m:
            raise ValueError(
                f"{where}.distance_m is {thing.distance_m}; layer {thing.layer} reaches from "
                f"{layer.distance_m:g} to {layer.farthest_m:g} m"
            )

    @property
    def distances_m(self) -> tuple[float, ...]:
        """Distances of the layers, nearest first; of the nearest part of a layer with depth."""
        return tuple(layer.distance_m for layer in self.layers)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of all objects, without duplicates."""
        return tuple(dict.fromkeys(thing.label for thing in self.objects))

    def object_distances(self, label: str, distances_m: Sequence[float] | None = None) -> tuple[float, ...]:
        """True distances [m] of all objects of a label, nearest first; empty if there are none.

        Args:
            label: Label of the objects.
            distances_m: Distances of the layers; ``None`` for the scene's own. A layer with depth is scaled.

        Raises:
            SceneError: There is not one positive distance for each layer.
        """
        layers = self.resolved_distances(distances_m)
        found = []
        for thing in self.objects:
            if thing.label == label:
                own = self.layers[thing.layer].distance_m
                found.append((thing.distance_m or own) * (layers[thing.layer] / own))
        return tuple(sorted(found))

    def resolved_distances(self, distances_m: Sequence[float] | None) -> tuple[float, ...]:
        """One distance [m] for each layer: the given ones, or the scene's own if there are none.

        Raises:
            SceneError: There is not one positive distance for each layer.
        """
        if not distances_m:
            return self.distances_m
        if len(distances_m) != len(self.layers):
            raise SceneError(
                f"scene {self.name} has {len(self.layers)} layers, "
                f"but {len(distances_m)} distances were given"
            )
        if wrong := [d for d in distances_m if not DISTANCE_MIN_M <= d <= DISTANCE_MAX_M]:
            raise SceneError(
                f"scene {self.name}: distance {wrong[0]!r} m "
                f"is outside {DISTANCE_MIN_M:g}..{DISTANCE_MAX_M:g} m"
            )
        return tuple(float(d) for d in distances_m)


def scene_names() -> tuple[str, ...]:
    """Names of the scenes that ship with the package."""
    return tuple(sorted(path.stem for path in (config_dir() / "scenes").glob("*.yaml")))


def load_scene(name_or_path: str | Path) -> Scene:
    """Load a shipped scene by name, or a scene from a YAML file.

    Raises:
        SceneError: The scene does not exist, is not YAML, or is invalid.
    """
    text = str(name_or_path)
    is_path = isinstance(name_or_path, Path) or text.endswith((".yaml", ".yml"))
    if not is_path and text not in scene_names():
        raise SceneError(no_such("scene", text, scene_names()))
    try:
        path = expanded(text) if is_path else config_dir() / "scenes" / f"{text}.yaml"
        document = read_yaml(path)
    except FileError as error:
        raise SceneError(f"scene file {error}") from error
    if not isinstance(document, dict):
        raise SceneError(f"scene file {path} must hold the keys `layers` and `objects`")
    if reserved := sorted(_OWN & document.keys()):
        raise SceneError(
            f"scene file {path}: key {reserved[0]} is not allowed: the file's own name and folder are used"
        )
    try:
        return Scene(name=path.stem, folder=path.parent.resolve(), **document)
    except (ValidationError, TypeError) as error:
        raise SceneError(f"scene file {path}: {reasons(error, model=Scene, but=_OWN)}") from error
    except RecursionError as error:
        raise SceneError(f"scene file {path} is not a scene: it is nested too deep") from error
