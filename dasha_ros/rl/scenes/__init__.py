"""Scene sets: which photographs and cut-outs become which views, and how they are split."""

from dasha_ros.rl.scenes.description import SceneSet, SceneSetError, load_scene_set, scene_set_names
from dasha_ros.rl.scenes.folder import folder_scene_set
from dasha_ros.rl.scenes.splits import Split, splits
from dasha_ros.rl.scenes.views import View, ViewInfo

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
