"""The twin's optics: renders the light on the sensor from a scene and a focus."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.optics.lens import WORKING_WIDTH_PX, LensModel
from dasha_ros.optics.profiles import lens_model
from dasha_ros.twin.chromatic import checked, foci_of_colours
from dasha_ros.twin.disc_blur import Kernels, Window
from dasha_ros.twin.planes import Plane, build_planes
from dasha_ros.twin.scene import Scene, SceneError, load_scene

Image = NDArray[np.float32]
_Order = tuple[tuple[tuple[float, ...], int], ...]
"""Planes from far to near: the radii of blur of the colours that differ in it, and the plane's number."""

_RADIUS_STEP_PX = 1 / 32
"""Blurs that differ by less share a rendering."""
_REMEMBERED = 2
"""Number of kept renderings: the lens at rest, and the one before."""


class Renderer:
    """Renders one scene through one lens.

    Every plane is blurred with a disc, in linear light and pre-multiplied by alpha. The planes are then laid
    over each other from far to near: at the edge of a near plane, the far one shows with 1 - (blurred alpha).
    That is exact where one of the planes is in focus, and the usual approximation where both are blurred.
    In colour, red and blue may be blurred as if the lens were focused elsewhere (`twin.chromatic`). A grey
    rendering is that of green. Not thread-safe.
    """

    def __init__(
        self,
        scene: Scene | str,
        width: int = 2048,
        height: int = 1088,
        *,
        colour: bool = False,
        lens: LensModel | None = None,
        kernel_of: Kernels | None = None,
        chromatic_dioptres: float = 0.0,
    ) -> None:
        """Read the photographs and build the planes; takes up to a second.

        Args:
            scene: A scene, or an argument of `load_scene`.
            width: Width of the frame [px]; the view stays the same.
            height: Height of the frame [px].
            colour: Three channels (R, G, B) instead of one.
            lens: The lens that blurs the planes; the profile ``physical`` by default.
            kernel_of: What a point becomes, by the radius of its blur; an even disc by default.
            chromatic_dioptres: How much nearer blue focuses than red [1/m]; counts in colour only.

        Raises:
            AssetMissing: A photograph is not on this machine; the message says what to run.
            SceneError: The scene can't be used.
            ValueError: The frame is smaller than 16 px, or ``chromatic_dioptres`` out of range.
        """
        if width < 16 or height < 16:
            raise ValueError(f"frame of {width}x{height} px: it must be at least 16x16")
        self.scene = scene if isinstance(scene, Scene) else load_scene(scene)
        self.lens = lens or lens_model()
        self.width, self.height, self.colour = width, height, colour
        self._kernel_of = kernel_of
        self._chromatic_dioptres = checked(chromatic_dioptres) if colour else 0.0
        try:
            self._planes, self._scale = build_planes(self.scene, width, height, colour)
        except (cv2.error, MemoryError, ArithmeticError) as error:
            raise SceneError(f"scene {self.scene.name}: its layers can't be built: {error}") from error
        self._window = Window(0, 0, -(-width // self._scale), -(-height // self._scale))
        self._done: OrderedDict[_Order, Image] = OrderedDict()

    def render(self, focus_dioptres: float, distances_m: Sequence[float] | None = None) -> Image:
        """Render the reflectance that the sensor sees, with defocus blur.

        Args:
            focus_dioptres: Focus of the lens, which is that of green [1/m].
            distances_m: Distances of the layers, in the scene's order; ``None`` or empty for the scene's own.

        Returns:
            Linear, 0 to the scene's white; shape (height, width) or (height, width, 3). Read-only, because
            renderings are reused.

        Raises:
            SceneError: There is not one positive distance for each layer.
        """
        layers = self.scene.resolved_distances(distances_m)
        # Far to near; at equal distances, the layer that is first in the scene is on top.
        order = sorted((plane.nearness / layers[plane.layer], -i) for i, plane in enumerate(self._planes))
        key = tuple((self._radii(focus_dioptres, dioptres), -i) for dioptres, i in order)
        if key in self._done:
            self._done.move_to_end(key)
            return self._done[key]
        image = self._composite(key)
        image.setflags(write=False)
        self._done[key] = image
        if len(self._done) > _REMEMBERED:
            self._done.popitem(last=False)
        return image

    def blur_px(
        self,
        label: str,
        focus_dioptres: float,
        distances_m: Sequence[float] | None = None,
        width_px: int = WORKING_WIDTH_PX,
    ) -> tuple[float, ...]:
        """True signed blur radius of each object of a label, nearest object first: for evaluations only.

        Args:
            label: Label of the objects; the result is empty if there are none.
            focus_dioptres: Focus of the lens [1/m].
            distances_m: See `render`.
            width_px: Width of the image that radii are measured in [px].
        """
        return tuple(
            self.lens.blur_px(focus_dioptres, 1.0 / distance, width_px)
            for distance in self.scene.object_distances(label, distances_m)
        )

    def _radii(self, focus_dioptres: float, object_dioptres: float) -> tuple[float, ...]:
        """Blur of red, green and blue; or a single one, if it is that of all."""
        foci = foci_of_colours(focus_dioptres, self._chromatic_dioptres)
        radii = tuple(self._radius(focus, object_dioptres) for focus in foci)
        return radii if len(set(radii)) > 1 else radii[:1]

    def _radius(self, focus_dioptres: float, object_dioptres: float) -> float:
        radius = abs(self.lens.blur_px(focus_dioptres, object_dioptres, self.width))
        return round(radius / _RADIUS_STEP_PX) * _RADIUS_STEP_PX

    def _composite(self, order: _Order) -> Image:
        size = (self._window.bottom, self._window.right)
        image = np.zeros((*size, 3) if self.colour else size, np.float32)
        for radii, index in order:
            if len(radii) == 1:
                self._lay(image, self._planes[index], radii[0])
                continue
            for channel, radius in enumerate(radii):
                self._lay(image[..., channel], self._planes[index], radius, channel)
        if self._scale > 1:
            full = (size[1] * self._scale, size[0] * self._scale)
            image = cv2.resize(image, full, interpolation=cv2.INTER_LANCZOS4)[: self.height, : self.width]
        image *= np.float32(self.scene.white_reflectance)
        # Enlarging overshoots a little at edges, but light can't be negative.
        return np.maximum(image, np.float32(0.0), out=image)

    def _lay(self, image: Image, plane: Plane, radius: float, channel: int | None = None) -> None:
        """Lay a blurred plane, or a single channel of it, over an image in place."""
        at = radius / self._scale
        colour, part = plane.colour.blurred(at, self._window, self._kernel_of, channel)
        below = image[part.top : part.bottom, part.left : part.right]
        if plane.alpha is None:
            below[...] = colour
            return
        alpha, _ = plane.alpha.blurred(at, self._window, self._kernel_of)
        seen_through = 1.0 - alpha
        below *= seen_through[..., None] if below.ndim == 3 else seen_through
        below += colour
