"""Damaged scene files and maps are refused by name, whatever error a library raises."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from studio import Studio

from dasha_ros.twin.photograph import check_files
from dasha_ros.twin.scene import SceneError, load_scene

DEEP = {"kind": "depth", "photo": "wall.png", "map": "map.npz", "distance_m": 0.5, "farthest_m": 2.0}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * 20_000, "nested"),
        ("layers: " + "{a: " * 5_000, "nested"),
        ("layers: 2026-99-99", "month must be in"),
        ("layers: " + "9" * 5_000, "limit"),
        ("layers: &a [*a]", "scene.yaml"),
        ("!!python/object:os.system {}", "not YAML"),
        ("layers: []\n# " + "x" * 2_000_000, "scene.yaml"),
        ("? [a]\n: b", "not YAML"),
    ],
    ids=["brackets", "braces", "date", "number", "circle", "object", "large", "key"],
)
def test_invalid_yaml_is_not_a_scene(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "scene.yaml"
    path.write_text(text)
    with pytest.raises(SceneError, match=says) as refused:
        load_scene(path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(
    "path", ["~nobody-of-this-name/scene.yaml", "a\0b.yaml", "x" * 5000 + ".yaml", "folder.yaml", "pipe.yaml"]
)
def test_a_path_that_can_not_be_read_is_refused_at_once(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder.yaml").mkdir()
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(SceneError, match="scene file"):
        load_scene(path if path.startswith("~") else f"{tmp_path}/{path}")


def the_map(folder: Path) -> bytes:
    np.savez_compressed(folder / "map.npz", np.tile(np.linspace(5.0, 50.0, 256), (136, 1)))
    return (folder / "map.npz").read_bytes()


@pytest.fixture
def scene(studio: Studio) -> Callable[[bytes], None]:
    """Checks the files of a scene whose map has certain bytes."""
    studio.texture("wall.png", 0)
    path = studio.scene(layers=[DEEP])

    def check(content: bytes) -> None:
        (studio.folder / "map.npz").write_bytes(content)
        check_files(load_scene(path))

    return check


def test_a_valid_map_is_accepted(scene: Callable[[bytes], None], tmp_path: Path) -> None:
    scene(the_map(tmp_path))


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b"",
        lambda b: b[:-30],
        lambda b: b[: len(b) // 2],
        lambda b: b[:100] + bytes(50) + b[150:],
        lambda b: b"\x93NUMPY" + b,
        lambda b: b"PK\x05\x06" + bytes(18),
    ],
    ids=["empty", "no end", "half", "hole", "no archive", "nothing inside"],
)
def test_a_damaged_map_is_refused_with_its_name(
    scene: Callable[[bytes], None], tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(SceneError, match=r"map\.npz"):
        scene(damage(the_map(tmp_path)))


@given(data=st.data())
def test_a_map_with_any_bytes_changed_is_accepted_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("map")
    studio = Studio(folder)
    studio.texture("wall.png", 0)
    path = studio.scene(layers=[DEEP])
    content = bytearray(the_map(folder))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (folder / "map.npz").write_bytes(bytes(content))
    # Anything else that comes out fails the test.
    with suppress(SceneError):
        check_files(load_scene(path))
