"""Views of the twin's scenes: one for each label in a scene."""

from __future__ import annotations

from collections.abc import Sequence

from dasha_ros.learning.dataset.cache.view_camera import ViewCamera
from dasha_ros.learning.dataset.scenes.views import View, ViewInfo
from dasha_ros.optics.binned import HalfSizeReadout
from dasha_ros.optics.lens import LensProfile
from dasha_ros.optics.profiles import lens_model
from dasha_ros.twin.scene import Scene, SceneError, load_scene


def scene_views(names: Sequence[str], lens: LensProfile | None = None) -> list[View]:
    """Views of scenes. Takes half a second for each scene, to find its mid grey.

    Args:
        names: Names of shipped scenes, or paths of YAML files.
        lens: Its aperture counts; the ``physical`` profile if left out.

    Raises:
        SceneError: No such scene, or a scene without objects.
        AssetMissing: A photograph is not on this machine.
    """
    readout = HalfSizeReadout()
    return [view for name in names for view in _views(load_scene(name), lens or lens_model(), readout)]


def _views(scene: Scene, lens: LensProfile, readout: HalfSizeReadout) -> list[View]:
    if not scene.objects:
        raise SceneError(f"scene {scene.name} has no objects, so nothing can be asked for in it")
    first = {thing.label: thing.layer for thing in reversed(scene.objects)}
    mid_grey = ViewCamera(scene, scene.objects[0].layer, lens, readout).mid_grey_lux_seconds()
    distances = scene.distances_m
    found = []
    for label, layer in first.items():
        other = distances[-1] if layer < len(distances) - 1 else distances[0]
        info = ViewInfo(
            name=f"{scene.name}/{label}",
            kind="plane" if len(distances) == 1 else "composite",
            label=label,
            photographs=tuple(thing.photo for thing in scene.layers),
            separation_dioptres=1.0 / distances[layer] - 1.0 / other,
            distances_m=distances,
            layer=layer,
            mid_grey_lux_seconds=mid_grey,
        )
        found.append(View(info, scene))
    return found
