from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.signal import fftconvolve
from studio import Studio, exact_disc

from dasha_ros.assets.catalogue import AssetMissing
from dasha_ros.twin.photograph import read_photograph
from dasha_ros.twin.renderer import Renderer
from dasha_ros.twin.scene import SceneError, load_scene, scene_names

FRAME: dict[str, Any] = {"width": 256, "height": 136}
NEAR, FAR = 2.0, 0.2
"""Focus on the card at 0.5 m and on the wall at 5 m [1/m]."""
FOCI = st.floats(-5.0, 9.3)


def light(level: int) -> float:
    """Linear light of an sRGB level, from the standard's text (IEC 61966-2-1)."""
    value = level / 255
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(focus=FOCI, level=st.integers(1, 255))
def test_a_card_is_invisible_before_a_wall_of_the_same_grey(studio: Studio, focus: float, level: int) -> None:
    path = studio.card_before(studio.grey("card.png", level, (64, 64)), studio.grey("wall.png", level))
    image = Renderer(load_scene(path), **FRAME).render(focus)
    # A halo, dark or bright, at any blur would be seen here.
    assert np.abs(image - light(level)).max() * 255 < 0.3


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(focus=FOCI)
def test_edges_stay_between_the_adjacent_levels(studio: Studio, focus: float) -> None:
    path = studio.card_before(studio.grey("card.png", 40, (64, 64)), studio.grey("wall.png", 220))
    image = Renderer(load_scene(path), **FRAME).render(focus)
    assert image.min() > light(40) - 1 / 255
    assert image.max() < light(220) + 1 / 255


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(focus=FOCI, times=st.floats(0.01, 75.0))
def test_a_layer_in_its_own_light_looks_like_a_lighter_picture(
    studio: Studio, focus: float, times: float
) -> None:
    """A dark card in so much light that it is as bright as the wall is invisible, at any blur."""
    card, wall = studio.grey("card.png", 60, (64, 64)), studio.grey("wall.png", 200)
    scene = load_scene(studio.card_before(card, wall, light=times * light(200) / light(60)))
    layers = scene.layers[0], scene.layers[1].model_copy(update={"light": times})
    image = Renderer(scene.model_copy(update={"layers": layers}), **FRAME).render(focus)
    assert image == pytest.approx(times * light(200), rel=0.01)
    with pytest.raises(SceneError, match="light"):
        load_scene(studio.card_before(card, wall, light=0.0))


@pytest.mark.parametrize("focus", [NEAR, FAR, 0.0, 4.0, -3.0])
def test_layers_cover_each_other_like_exact_discs(studio: Studio, focus: float) -> None:
    path = studio.card_before(studio.texture("card.png", 1, (64, 64)), studio.texture("wall.png", 2))
    renderer = Renderer(load_scene(path), **FRAME)
    card, wall = (read_photograph(renderer.scene, name)[0][..., 0] for name in ("card.png", "wall.png"))
    colour, alpha = (np.zeros((400, 520)) for _ in range(2))
    colour[168:232, 228:292], alpha[168:232, 228:292] = card, 1.0
    near = exact_disc(max(1e-3, abs(renderer.lens.blur_px(focus, NEAR, 256))))
    far = exact_disc(max(1e-3, abs(renderer.lens.blur_px(focus, FAR, 256))))
    n = far.shape[0] // 2
    behind = fftconvolve(np.pad(wall, n, mode="symmetric"), far, mode="valid")
    middle = np.s_[132:268, 132:388]
    colour, alpha = (fftconvolve(plane, near, mode="same")[middle] for plane in (colour, alpha))
    expected = behind * (1 - alpha) + colour
    assert np.abs(renderer.render(focus) - expected).max() * 255 < 2.0


def test_each_focus_shows_its_own_layer_sharp(studio: Studio) -> None:
    path = studio.card_before(studio.texture("card.png", 1, (64, 64)), studio.texture("wall.png", 2))
    renderer = Renderer(load_scene(path), **FRAME)

    def contrast(focus: float, part: tuple[slice, slice]) -> float:
        return float(renderer.render(focus)[part].std())

    card, wall = np.s_[44:92, 104:152], np.s_[10:126, 5:60]
    foci = [-1.0, FAR, 1.0, NEAR, 3.0]
    assert max(foci, key=lambda f: contrast(f, card)) == NEAR
    assert max(foci, key=lambda f: contrast(f, wall)) == FAR


def test_a_layer_that_comes_nearer_covers_the_others(studio: Studio) -> None:
    path = studio.card_before(studio.grey("card.png", 255, (64, 64)), studio.grey("wall.png", 0))
    renderer = Renderer(load_scene(path), **FRAME)
    assert renderer.render(NEAR).max() > 0.99
    assert renderer.render(1.0, (2.0, 1.0)).max() < 0.01


def test_blur_depends_on_distance_alone(studio: Studio) -> None:
    renderer = Renderer(
        load_scene(studio.card_before(studio.texture("card.png", 1), studio.grey("wall.png", 9)))
    )
    assert renderer.blur_px("card", 3.0) == pytest.approx((8.878,), abs=0.01)
    assert renderer.blur_px("card", 3.0, (0.25, 5.0)) == pytest.approx((-8.878,), abs=0.01)
    assert renderer.blur_px("unicorn", 3.0) == ()


def test_a_cached_rendering_can_not_be_modified(studio: Studio) -> None:
    renderer = Renderer(
        load_scene(studio.card_before(studio.grey("card.png", 9), studio.grey("wall.png", 9))), **FRAME
    )
    image = renderer.render(1.0)
    assert renderer.render(1.0) is image
    with pytest.raises(ValueError, match="read-only"):
        image[0, 0] = 1.0


@pytest.mark.parametrize(("width", "height"), [(256, 136), (257, 135), (1024, 544), (100, 300), (16, 16)])
def test_every_size_of_frame_is_filled(studio: Studio, width: int, height: int) -> None:
    path = studio.card_before(studio.texture("card.png", 1), studio.grey("wall.png", 200))
    scene = load_scene(path)
    for colour, shape in ((False, (height, width)), (True, (height, width, 3))):
        image = Renderer(scene, width, height, colour=colour).render(9.0)
        assert image.shape == shape
        assert image.dtype == np.float32
        assert np.isfinite(image).all()
        assert image.min() > 0


@pytest.mark.parametrize("colour", [False, True])
def test_a_layer_beyond_the_frame_is_not_seen(studio: Studio, colour: bool) -> None:
    card, wall = studio.texture("card.png", 1, (64, 64)), studio.grey("wall.png", 200)
    scene = load_scene(studio.card_before(card, wall, centre=[1.5, 0.5]))
    image = Renderer(scene, **FRAME, colour=colour, chromatic_dioptres=0.5).render(FAR)
    assert np.allclose(image, light(200), atol=1e-4)


def test_colours_are_kept_and_grey_is_their_luminance(studio: Studio) -> None:
    wall = np.zeros((136, 256, 3), np.uint8)
    wall[...] = (30, 120, 240)
    path = studio.card_before(studio.picture("card.png", wall[:64, :64]), studio.picture("wall.png", wall))
    scene = load_scene(path)
    colour = Renderer(scene, **FRAME, colour=True).render(1.0)
    expected = np.array([light(240), light(120), light(30)])
    assert np.allclose(colour, expected, atol=0.002)
    grey = Renderer(scene, **FRAME).render(1.0)
    assert np.allclose(grey, expected @ (0.2126, 0.7152, 0.0722), atol=0.002)


def test_a_larger_frame_shows_the_same_view(studio: Studio) -> None:
    path = studio.card_before(studio.texture("card.png", 1, (64, 64)), studio.texture("wall.png", 2))
    scene = load_scene(path)
    small, large = (Renderer(scene, 256 * k, 136 * k).render(1.5) for k in (1, 4))
    shrunk = cv2.resize(large, (256, 136), interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk - small).mean() * 255 < 1.0


def deep_scene(studio: Studio, slices: int = 8) -> Any:
    """A wall whose left half is near and whose right half slopes away."""
    studio.texture("wall.png", 3)
    x = np.arange(256.0)
    np.savez(
        studio.folder / "map.npz", np.tile(np.where(x < 128, 50.0, 50.0 - 40 * (x - 128) / 128), (136, 1))
    )
    deep = {
        "kind": "depth", "photo": "wall.png", "map": "map.npz", "slices": slices,
        "distance_m": 0.5, "farthest_m": 2.0,
    }  # fmt: skip
    return load_scene(
        studio.scene(
            white_reflectance=1.0, layers=[deep], objects=[{"label": "w", "layer": 0, "distance_m": 0.5}]
        )
    )


def test_a_layer_with_depth_is_sharp_where_the_focus_is(studio: Studio) -> None:
    renderer = Renderer(deep_scene(studio), **FRAME)
    sharp, _ = read_photograph(renderer.scene, "wall.png")

    def error(focus: float, columns: slice) -> float:
        return float(np.abs(renderer.render(focus) - sharp[..., 0])[:, columns].mean())

    left, right = slice(10, 110), slice(230, 250)
    assert error(2.0, left) < 0.01 < error(2.0, right)
    assert error(0.6, right) < 0.03 < error(0.6, left)


def test_nothing_shines_through_between_slices(studio: Studio) -> None:
    scene = deep_scene(studio)
    white_but_for_the_far_end = np.full((136, 256), 200, np.uint8)
    white_but_for_the_far_end[:, 224:] = 0
    studio.picture("wall.png", white_but_for_the_far_end)
    renderer = Renderer(scene, **FRAME)
    for focus in (-1.0, 0.6, 1.3, 2.0, 4.0):
        # Out of reach of the largest blur: the slope before the dark end hides it, whatever the blur.
        white = renderer.render(focus)[:, :200]
        assert np.abs(white - light(200)).max() * 255 < 1.0


def test_a_map_without_depth_is_refused(studio: Studio) -> None:
    scene = deep_scene(studio)
    for disparity in (np.ones((136, 256)), np.full((136, 256), np.nan)):
        np.savez(studio.folder / "map.npz", disparity)
        with pytest.raises(SceneError, match="no depth"):
            Renderer(scene, **FRAME)


def test_a_small_photograph_continues_as_its_mirror_image(studio: Studio) -> None:
    name = studio.texture("wall.png", 4, (68, 128))
    path = studio.scene(
        white_reflectance=1.0,
        layers=[{"kind": "photograph", "photo": name, "distance_m": 1.0, "zoom": 0.5}],
    )
    renderer = Renderer(load_scene(path), **FRAME)
    once = read_photograph(renderer.scene, name)[0][..., 0]
    expected = np.pad(once, ((34, 34), (64, 64)), mode="symmetric")
    assert np.allclose(renderer.render(1.0), expected, atol=0.002)


def test_bad_requests_are_refused(studio: Studio) -> None:
    scene = load_scene(studio.card_before(studio.grey("card.png", 9), studio.grey("wall.png", 9)))
    with pytest.raises(ValueError, match="16x16"):
        Renderer(scene, 8, 8)
    with pytest.raises(SceneError, match="2 layers"):
        Renderer(scene, **FRAME).render(1.0, (1.0,))


@pytest.mark.parametrize("name", scene_names())
def test_shipped_scenes_render_and_defocus_loses_contrast(name: str) -> None:
    try:
        renderer = Renderer(name, 320, 170)
    except AssetMissing as missing:
        pytest.skip(str(missing))
    scene = renderer.scene
    distance = scene.object_distances(scene.labels[0])[0]
    sharp, blurred = renderer.render(1 / distance), renderer.render(1 / distance + 5.0)
    assert 0.0 <= sharp.min() <= sharp.max() <= 1.0
    assert 0.02 < sharp.mean() < 0.7
    assert blurred.std() < 0.9 * sharp.std()
