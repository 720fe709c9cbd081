"""Scene sets: which photographs and cut-outs become which views, and how they are split."""

from dasha_ros.learning.dataset.scenes.description import (
    SceneSet,
    SceneSetError,
    load_scene_set,
    scene_set_names,
)
from dasha_ros.learning.dataset.scenes.folder import folder_scene_set
from dasha_ros.learning.dataset.scenes.splits import Split, splits
from dasha_ros.learning.dataset.scenes.views import View, ViewInfo

__all__ = [
    "SceneSet",
    "SceneSetError",
    "Split",
    "View",
    "ViewInfo",
    "folder_scene_set",
    "load_scene_set",
    "scene_set_names",
    "splits",
]
