from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from studio import Studio

from dasha_ros.assets.catalogue import AssetMissing, assets_dir
from dasha_ros.twin.photograph import check_files, cut_out, read_photograph, spread
from dasha_ros.twin.scene import CutoutLayer, SceneError, load_scene, scene_names

WALL = {"kind": "photograph", "photo": "wall.png", "distance_m": 5.0}
CARD = {
    "kind": "cutout", "photo": "card.png", "distance_m": 0.5, "width": 0.25, "centre": [0.5, 0.5],
    "cut": {"shape": "rectangle"},
}  # fmt: skip
DEEP = {"kind": "depth", "photo": "wall.png", "map": "map.npz", "distance_m": 0.5, "farthest_m": 2.0}


def test_every_shipped_scene_describes_objects_it_can_show() -> None:
    names = scene_names()
    assert len(names) >= 8
    assert "motorcycle_street" in names
    for name in names:
        scene = load_scene(name)
        assert scene.description
        assert scene.labels
        for label in scene.labels:
            distances = scene.object_distances(label)
            assert distances
            assert all(0.25 <= d <= 20.0 for d in distances)


def test_the_demo_scene_has_two_goals() -> None:
    scene = load_scene("motorcycle_street")
    assert scene.object_distances("motorcycle") == (0.8,)
    assert scene.object_distances("person") == (10.0,)
    assert scene.object_distances("elephant") == ()


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"layers": [WALL, CARD]}, "nearest first"),
        ({"layers": [CARD]}, r"layers.0: the farthest layer must fill the frame"),
        ({"layers": [dict(WALL, distance_m=1.0), WALL]}, r"layers.0: .*before it must be cut-outs"),
        ({"layers": []}, "layers"),
        ({}, "layers"),
        ({"layers": [WALL], "colour": 1}, "colour"),
        ({"layers": [dict(WALL, distance_m=-1)]}, "distance_m = -1"),
        ({"layers": [dict(WALL, distance_m=float("nan"))]}, "distance_m"),
        ({"layers": [dict(WALL, kind="hologram")]}, "hologram"),
        ({"layers": [dict(CARD, cut={"shape": "star"}), WALL]}, "star"),
        ({"layers": [dict(CARD, width=0), WALL]}, r"layers.0.cutout.width = 0"),
        ({"layers": [dict(DEEP, farthest_m=0.4)]}, "farthest_m 0.4"),
        ({"layers": [WALL], "objects": [{"label": "x", "layer": 1}]}, r"objects.0.layer is 1"),
        ({"layers": [WALL], "objects": [{"label": "x", "layer": 0, "distance_m": 2}]}, "is flat"),
        ({"layers": [DEEP], "objects": [{"label": "x", "layer": 0}]}, r"objects.0.distance_m is None"),
        ({"layers": [WALL], "name": "me"}, "key name is not allowed"),
    ],
)
def test_a_bad_scene_is_refused_with_file_and_key(
    studio: Studio, document: dict[str, Any], says: str
) -> None:
    path = studio.scene(**document)
    with pytest.raises(SceneError, match=says) as caught:
        load_scene(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "\x00", "3: {}"])
def test_invalid_scenes_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "scene.yaml"
    path.write_text(text)
    with pytest.raises(SceneError, match=str(path)):
        load_scene(path)


def test_unknown_names_list_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="motorcycle_street"):
        load_scene("motorcycle_stret")
    with pytest.raises(SceneError, match="no such file"):
        load_scene(tmp_path / "none.yaml")


def test_distances_can_be_given_but_must_fit(studio: Studio) -> None:
    scene = load_scene(studio.scene(layers=[CARD, WALL], objects=[{"label": "card", "layer": 0}]))
    assert scene.resolved_distances(None) == scene.resolved_distances(()) == (0.5, 5.0)
    assert scene.object_distances("card", (0.7, 3.0)) == (0.7,)
    with pytest.raises(SceneError, match="2 layers"):
        scene.resolved_distances((1.0,))
    with pytest.raises(SceneError, match="outside"):
        scene.resolved_distances((float("nan"), 1.0))


def test_moving_a_layer_with_depth_scales_it(studio: Studio) -> None:
    objects = [{"label": "x", "layer": 0, "distance_m": 1.0}]
    scene = load_scene(studio.scene(layers=[DEEP], objects=objects))
    assert scene.object_distances("x", (0.25,)) == (0.5,)


def test_photographs_become_linear_light(studio: Studio) -> None:
    studio.grey("wall.png", 188)
    scene = load_scene(studio.scene(layers=[WALL]))
    light, alpha = read_photograph(scene, "wall.png")
    # sRGB 188 is half of the light of 255.
    assert light.mean() == pytest.approx(0.5, abs=0.005)
    assert light.shape == (136, 256, 3)
    assert alpha is None


def test_missing_and_broken_pictures_are_named(studio: Studio) -> None:
    scene = load_scene(studio.scene(layers=[WALL]))
    with pytest.raises(SceneError, match="no such file"):
        read_photograph(scene, "/nowhere/wall.png")
    (studio.folder / "wall.png").write_bytes(b"not a picture")
    with pytest.raises(SceneError, match="not a picture that can be read"):
        read_photograph(scene, "wall.png")


@pytest.mark.parametrize("name", ["photos/nope.png", "../nope.png", "x" * 300])
def test_a_missing_picture_of_ones_own_is_told_with_both_places(studio: Studio, name: str) -> None:
    for layer in (dict(WALL, photo=name), dict(DEEP, map=name)):
        studio.grey("wall.png", 188)
        scene = load_scene(studio.scene(layers=[layer]))
        with pytest.raises(SceneError) as told:
            check_files(scene)
        for part in ("scene scene: ", f"no file {studio.folder / name}, ", f"fetched into {assets_dir()}: "):
            assert part in str(told.value)


def test_a_missing_picture_that_can_be_fetched_comes_with_the_command(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASHA_ASSETS", str(studio.folder / "none"))
    scene = load_scene(studio.scene(layers=[dict(WALL, photo="photos/bus.jpg")]))
    with pytest.raises(AssetMissing, match=r"photos/bus\.jpg .* is not in .*none; run "):
        check_files(scene)


def cut(studio: Studio, shape: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    scene = load_scene(studio.scene(layers=[dict(CARD, cut=shape), WALL]))
    layer = scene.layers[0]
    assert isinstance(layer, CutoutLayer)
    return cut_out(scene, layer)


CIRCLE = [
    [0.5 + 0.2 * math.cos(2 * math.pi * i / 60), 0.5 + 0.4 * math.sin(2 * math.pi * i / 60)]
    for i in range(60)
]
"""In a picture of 2:1, of the disc's size."""


def red_disc_on_blue() -> np.ndarray:
    pixels = np.zeros((100, 200, 3), np.uint8)
    pixels[...] = (255, 0, 0)
    y, x = np.mgrid[:100, :200]
    pixels[(x - 100) ** 2 + (y - 50) ** 2 < 40**2] = (0, 0, 255)
    return pixels


@pytest.mark.parametrize(
    "shape",
    [
        {"shape": "ellipse", "box": [0.3, 0.1, 0.7, 0.9]},
        {"shape": "alpha"},
        {"shape": "disparity", "map": "map.npz", "above": 10.0},
        {"shape": "polygon", "points": CIRCLE},
    ],
)  # fmt: skip
def test_no_light_of_the_old_background_is_left_on_a_cut_out(studio: Studio, shape: dict[str, Any]) -> None:
    pixels = red_disc_on_blue()
    inside = (pixels[..., 2] > 0).astype(np.uint8)
    studio.picture("card.png", np.dstack([pixels, inside * 255]))
    np.savez(studio.folder / "map.npz", inside * 20.0)
    colour, alpha = cut(studio, shape)
    assert alpha.max() == pytest.approx(1.0, abs=0.01)
    assert (alpha > 0.5).sum() == pytest.approx(np.pi * 40**2, rel=0.06)
    seen = colour[alpha > 0.01]
    assert seen[:, 0].min() > 0.99
    assert seen[:, 2].max() < 0.01


def test_the_floor_can_be_removed(studio: Studio) -> None:
    y, x = np.mgrid[:100, :200]
    disparity = np.where(y > 40, 20.0 + 0.2 * (y - 40), 5.0)
    thing = (abs(x - 100) < 20) & (y > 20) & (y < 70)
    disparity[thing] = 40.0
    disparity[60, 90] = np.nan
    studio.picture("card.png", np.full((100, 200, 3), 128, np.uint8))
    np.savez(studio.folder / "map.npz", disparity)
    shape = {"shape": "disparity", "map": "map.npz", "above": 15.0}
    _, with_floor = cut(studio, shape)
    _, without = cut(studio, dict(shape, without_floor=True))
    assert with_floor.shape[1] == 200
    assert (without > 0.5).sum() == pytest.approx(thing.sum(), rel=0.05)


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ({"shape": "alpha"}, "no alpha"),
        ({"shape": "ellipse", "box": [0.9, 0.1, 0.2, 0.9]}, "left < right"),
        ({"shape": "rectangle", "box": [0.5, 0.5, 0.501, 0.501]}, "2 x 2 or more of the 256 x 136 pixels"),
        ({"shape": "disparity", "map": "map.npz", "above": 1000.0}, "empty"),
        ({"shape": "disparity", "map": "small.npz", "above": 1.0}, "small.npz"),
        ({"shape": "disparity", "map": "text.npz", "above": 1.0}, "not an archive of arrays"),
    ],
)
def test_an_empty_cut_is_explained(studio: Studio, shape: dict[str, Any], says: str) -> None:
    studio.grey("card.png", 128)
    np.savez(studio.folder / "map.npz", np.ones((136, 256)))
    np.savez(studio.folder / "small.npz", np.ones((2, 2)))
    (studio.folder / "text.npz").write_text("no archive")
    with pytest.raises(SceneError, match=says):
        cut(studio, shape)


def test_spreading_keeps_weighted_pixels_and_stays_between_their_colours() -> None:
    rng = np.random.default_rng(0)
    colour = rng.uniform(0.4, 0.6, (61, 83, 3)).astype(np.float32)
    weight = np.zeros((61, 83), np.float32)
    weight[20:30, 10:40] = 1.0
    colour[weight == 0] = 9.0
    filled = spread(colour, weight)
    assert np.allclose(filled[weight == 1], colour[weight == 1], atol=1e-6)
    assert filled.min() > 0.39
    assert filled.max() < 0.61
