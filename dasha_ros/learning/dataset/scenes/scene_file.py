"""Scenes as YAML files, for renderers that read one."""

from __future__ import annotations

import yaml

from dasha_ros.twin.scene import Scene


def scene_text(scene: Scene) -> str:
    """The YAML of a scene, valid in any folder: its photographs are absolute paths or assets."""
    document = scene.model_dump(mode="json", exclude={"name", "folder"})
    for layer in document["layers"]:
        for part, key in ((layer, "photo"), (layer, "map"), (layer.get("cut", {}), "map")):
            if key in part and (scene.folder / part[key]).is_file():
                part[key] = str((scene.folder / part[key]).resolve())
    return yaml.safe_dump(document)
