"""What percepts depend on, as digests: caches of equal digests hold equal percepts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dasha_ros.assets import models
from dasha_ros.assets.catalogue import asset, sha256_of
from dasha_ros.files.errors import FileError, shown
from dasha_ros.files.regular import check_regular
from dasha_ros.learning.dataset.cache.axes import Grids
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.store import CacheError
from dasha_ros.learning.dataset.scenes.description import SceneSet
from dasha_ros.optics.profiles import lens_model
from dasha_ros.optics.sensor import Sensor
from dasha_ros.twin.chromatic import CHROMATIC_DIOPTRES

DETECTOR, _DETECTOR_MODEL = "yolov3_tiny", models.YOLOV3_TINY
CONTENT = 2
"""Version of the content. Raise it when renderer, sensor or perception change a percept; caches are then
rebuilt."""
_ELSEWHERE = {"name", "folder", "description", "left_out", "disturbed"}
"""Fields of a scene set that do not decide how its plain views are drawn."""
_MODELS = _DETECTOR_MODEL, models.EFFICIENTNET_LITE0, models.EFFICIENTNET_LITE0_GRID, models.BRISQUE


def pictures_of(scene_set: SceneSet) -> tuple[dict[str, str], list[str]]:
    """SHA-256 of every photograph of a set, and the names of those that are absent."""
    patterns = [*(scene_set.planes.photographs if scene_set.planes else ())]
    if scene_set.composites:
        patterns += [*scene_set.composites.objects, *scene_set.composites.backgrounds]
    here, absent = scene_set.pictures(patterns)
    return pictures_named(here), absent


def pictures_named(names: Iterable[str]) -> dict[str, str]:
    """SHA-256 of photographs by name; of one that can't be read the kind of error.

    Raises:
        AssetMissing: One is not on this machine.
    """
    return {name: _digest(_path(name)) for name in names}


def check_pictures(cache: PerceptCache) -> None:
    """Refuse to draw a cache's views of other photographs than its cells were drawn of.

    Raises:
        CacheError: A photograph is not where it was, or is another one.
        AssetMissing: One that is fetched is not on this machine.
    """
    used = {photo for view in cache.views for photo in view.photographs}
    now = pictures_named(sorted(used))
    if other := [name for name, digest in now.items() if digest != cache.meta.pictures.get(name)]:
        changed = "has changed since" if _path(other[0]).is_file() else "is not there any more"
        more = f" (and {len(other) - 1} other)" if len(other) > 1 else ""
        raise CacheError(
            f"the percept cache {cache.path} was made of {shown(other[0])}, which {changed}{more}: put the "
            "photographs back, or build a cache of those that are there"
        )


def models_of() -> dict[str, str]:
    """SHA-256 of the models that read a cell, by name.

    Raises:
        AssetMissing: One is not on this machine.
    """
    return {name: sha256_of(asset(name)) for name in _MODELS}


def _digest(path: Path) -> str:
    """Digest of a file; of an unreadable one the kind of error, because it is skipped for this."""
    try:
        check_regular(path)
        return sha256_of(path)
    except (FileError, OSError) as error:
        return type(error).__name__


def _path(name: str) -> Path:
    return Path(name) if Path(name).is_absolute() else asset(name)


def cache_key(
    scene_set: SceneSet,
    pictures: Mapping[str, str],
    grids: Grids,
    encoders: Mapping[str, str],
    *,
    colour: bool = False,
) -> str:
    """Digest of everything that changes a percept of a cache.

    Args:
        scene_set: Describes the views.
        pictures: From `pictures_of`.
        grids: Where cells lie.
        encoders: Field by field, which encoder's latent it holds.
        colour: Whether it holds what red and blue show.
    """
    return _hashed(
        {
            **_drawing(scene_set, pictures),
            # Left out where there are none, so that caches from before there were any still count.
            **({"disturbed": scene_set.disturbed} if scene_set.disturbed else {}),
            **({"chromatic_dioptres": CHROMATIC_DIOPTRES} if colour else {}),
            "models": models_of(),
            "encoders": dict(encoders),
            "grids": asdict(grids),
        }
    )


def selection_key(scene_set: SceneSet, pictures: Mapping[str, str]) -> str:
    """Digest of everything that changes which views of a set are kept; arguments as for `cache_key`."""
    detector = {_DETECTOR_MODEL: sha256_of(asset(_DETECTOR_MODEL))}
    return _hashed({**_drawing(scene_set, pictures), "models": detector})


def _drawing(scene_set: SceneSet, pictures: Mapping[str, str]) -> dict[str, Any]:
    """What decides how views are drawn."""
    lens = lens_model()
    return {
        "content": CONTENT,
        "scene_set": scene_set.model_dump(mode="json", exclude=_ELSEWHERE),
        # By content, so that the same pictures in another folder make the same cache.
        "pictures": sorted((Path(name).name, digest) for name, digest in pictures.items()),
        "detector": DETECTOR,
        "sensor": asdict(Sensor()),
        "lens": [lens.focal_length_mm, lens.f_number],
    }


def _hashed(parts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
