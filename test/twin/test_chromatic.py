"""Longitudinal chromatic aberration: each colour is blurred as if the lens were focused elsewhere."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from studio import Studio

from dasha_ros.config import CameraDriverConfig
from dasha_ros.devices.twin.camera import TwinCamera
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.optics.profiles import lens_model
from dasha_ros.ros.driver_nodes.backends import camera_backend
from dasha_ros.twin.chromatic import CHROMATIC_DIOPTRES
from dasha_ros.twin.renderer import Renderer
from dasha_ros.twin.scene import Scene, load_scene
from dasha_ros.twin.world import World

FRAME: dict[str, Any] = {"width": 256, "height": 136}
NEAR, FAR = 2.0, 0.2
"""Focus on the card at 0.5 m and on the wall at 5 m [1/m]."""
FOCI = (-2.0, FAR, 1.0, NEAR, 2.3, 6.0)
SHIFT = 0.5
COLOURS = ("red", "green", "blue")


@pytest.fixture
def scenes(studio: Studio) -> dict[str, Scene]:
    """A card before a wall in colour, and each of its colours alone as a grey picture."""
    random = np.random.default_rng(4)
    pixels = {
        name: np.kron(random.integers(0, 256, (height, width, 3), np.uint8), np.ones((4, 4, 1), np.uint8))
        for name, height, width in (("card", 16, 16), ("wall", 34, 64))
    }

    def scene(kind: str, of: Any) -> Scene:
        names = [studio.picture(f"{kind}_{name}.png", of(picture)) for name, picture in pixels.items()]
        return load_scene(studio.card_before(*names))

    grey = {name: scene(name, lambda picture, at=2 - at: picture[..., at]) for at, name in enumerate(COLOURS)}
    return {"colour": scene("colour", lambda picture: picture), **grey}


@pytest.mark.parametrize("lens", ["physical", "paper"])
@pytest.mark.parametrize("focus", FOCI)
def test_each_colour_is_a_grey_rendering_at_its_own_focus(
    scenes: dict[str, Scene], focus: float, lens: str
) -> None:
    optics: dict[str, Any] = {**FRAME, "lens": lens_model(lens)}
    image = Renderer(scenes["colour"], **optics, colour=True, chromatic_dioptres=SHIFT).render(focus)
    for channel, (colour, shift) in enumerate(zip(COLOURS, (-SHIFT / 2, 0.0, SHIFT / 2), strict=True)):
        alone = Renderer(scenes[colour], **optics).render(focus + shift)
        assert np.abs(image[..., channel] - alone).max() < 1e-5, colour
    assert image.flags["C_CONTIGUOUS"]


@pytest.mark.parametrize("focus", FOCI)
def test_grey_renderings_and_lenses_without_it_are_the_same_to_the_last_bit(
    scenes: dict[str, Scene], focus: float
) -> None:
    def render(**changes: Any) -> np.ndarray:
        return Renderer(scenes["colour"], **FRAME, **changes).render(focus)

    assert np.array_equal(render(chromatic_dioptres=SHIFT), render())
    plain = render(colour=True)
    assert np.array_equal(render(colour=True, chromatic_dioptres=0.0), plain)
    # Too little to change a radius by a step: the colours share their blurs.
    assert np.array_equal(render(colour=True, chromatic_dioptres=1e-6), plain)
    assert not np.array_equal(render(colour=True, chromatic_dioptres=SHIFT), plain)


@pytest.mark.parametrize("shift", [SHIFT, -SHIFT])
def test_red_is_sharper_where_the_lens_is_focused_too_near(studio: Studio, shift: float) -> None:
    wall = studio.texture("wall.png", 2)
    scene = load_scene(studio.card_before(studio.grey("card.png", 9, (2, 2)), wall))
    renderer = Renderer(scene, **FRAME, colour=True, chromatic_dioptres=shift)
    red, _, blue = (renderer.render(FAR + 0.6)[10:40, :, channel].std() for channel in range(3))
    assert (red > 1.1 * blue) == (shift > 0.0)
    red, _, blue = (renderer.render(FAR - 0.6)[10:40, :, channel].std() for channel in range(3))
    assert (blue > 1.1 * red) == (shift > 0.0)


def test_a_rendering_is_reused_for_the_same_blurs_only(scenes: dict[str, Scene]) -> None:
    renderer = Renderer(scenes["colour"], **FRAME, colour=True, chromatic_dioptres=SHIFT)
    image = renderer.render(1.0)
    assert renderer.render(1.0) is image
    assert renderer.render(1.2) is not image


def pixels_of(encoding: str, scene: Path, **changes: Any) -> np.ndarray:
    camera = TwinCamera(ManualClock(), world=World(str(scene)), encoding=encoding, seed=1, **FRAME, **changes)
    camera.open()
    frame = camera.capture()
    assert frame is not None
    return np.asarray(frame.pixels)


def test_the_camera_has_it_in_colour_alone(studio: Studio) -> None:
    scene = studio.card_before(studio.texture("card.png", 1, (64, 64)), studio.texture("wall.png", 2))
    for encoding in ("mono8", "mono16"):
        assert np.array_equal(pixels_of(encoding, scene), pixels_of(encoding, scene, chromatic_dioptres=0.0))
    ideal = pixels_of("rgb8", scene, chromatic_dioptres=0.0)
    assert np.array_equal(
        pixels_of("rgb8", scene), pixels_of("rgb8", scene, chromatic_dioptres=CHROMATIC_DIOPTRES)
    )
    assert not np.array_equal(pixels_of("rgb8", scene, chromatic_dioptres=SHIFT), ideal)


def test_the_parameter_reaches_the_camera(monkeypatch: pytest.MonkeyPatch, studio: Studio) -> None:
    made: dict[str, Any] = {}
    monkeypatch.setattr("dasha_ros.devices.twin.camera.TwinCamera", lambda *_, **given: made.update(given))
    camera_backend(CameraDriverConfig(encoding="rgb8", twin_chromatic_dioptres=-0.2), ManualClock())
    assert made["chromatic_dioptres"] == -0.2
    camera_backend(CameraDriverConfig(), ManualClock())
    assert made["chromatic_dioptres"] == CHROMATIC_DIOPTRES


@pytest.mark.parametrize("wrong", [1.01, -1.01, math.inf, math.nan])
def test_what_no_lens_has_is_refused(scenes: dict[str, Scene], wrong: float) -> None:
    with pytest.raises(ValueError, match=r"chromatic_dioptres is .*; it must lie in -1\.\.1 D"):
        Renderer(scenes["colour"], **FRAME, colour=True, chromatic_dioptres=wrong)
    with pytest.raises(ValueError, match="chromatic_dioptres"):
        TwinCamera(ManualClock(), chromatic_dioptres=wrong)
    with pytest.raises(ValidationError, match="twin_chromatic_dioptres"):
        CameraDriverConfig(twin_chromatic_dioptres=wrong)
