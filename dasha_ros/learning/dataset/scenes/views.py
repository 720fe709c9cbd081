"""A view: a photograph as a plane, or an object before a background, and the object to look for."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from dasha_ros.twin.scene import Scene
from dasha_ros.twin.stress.disturbance import Disturbance

Kind = Literal["plane", "composite"]


@dataclass(frozen=True)
class ViewInfo:
    """What is known of a view without rendering it."""

    name: str
    kind: Kind
    label: str
    """The object to look for: what the detector finds in the sharp view."""
    photographs: tuple[str, ...]
    """All its photographs; splits are by photograph, never by view."""
    separation_dioptres: float = 0.0
    """Separation of the object from the other layer [1/m]: positive for the nearer, 0 for planes."""
    distances_m: tuple[float, ...] = (1.0,)
    """Distances of the layers, nearest first [m]. The picture depends on differences of their reciprocals."""
    layer: int = 0
    """Index of the object's layer."""
    fold: int = 0
    """The part of the scene set that all its photographs belong to."""
    score: float = 0.0
    """The detector's score in the sharp view."""
    mid_grey_lux_seconds: float = 1.0
    """Illuminance [lx] times exposure [s] at which the sharp view is well exposed: its EV 0."""
    disturbance: Disturbance | None = field(default=None, repr=False)
    """How its pictures differ from the plain twin's. The name says which copy it is."""

    @property
    def distance_m(self) -> float:
        """Distance of the object for which the view was composed [m]."""
        return self.distances_m[self.layer]

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ViewInfo:
        """From what `dataclasses.asdict` and JSON made of one."""
        sequences = {key: tuple(values[key]) for key in ("photographs", "distances_m")}
        disturbed = values.get("disturbance")
        disturbance = None if disturbed is None else Disturbance(**disturbed)
        return cls(**{**values, **sequences, "disturbance": disturbance})


@dataclass(frozen=True)
class View:
    """A view and the scene that the twin renders for it."""

    info: ViewInfo
    scene: Scene

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"info": asdict(self.info), "scene": self.scene.model_dump(mode="json")}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> View:
        """The inverse of `as_dict`.

        Raises:
            ValueError: The values are not those of a view.
        """
        return cls(ViewInfo.from_dict(values["info"]), Scene.model_validate(values["scene"]))
