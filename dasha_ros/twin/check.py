"""Whether a scene can be shown."""

from __future__ import annotations

from dasha_ros.twin.scene import load_scene, scene_names


def check_scene(name: str) -> None:
    """Check a scene by name or file, and read its pictures. Those that ship were checked before.

    Raises:
        SceneError: The scene, or one of its files, can't be used.
        AssetMissing: A fetched file is not on this machine; the message says what to run.
    """
    scene = load_scene(name)
    if name not in scene_names():
        # OpenCV is slow to load and not needed for shipped scenes.
        from dasha_ros.twin.photograph import check_files

        check_files(scene)
