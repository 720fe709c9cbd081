"""How far a look-up is from a rendering: the error of the percept cache, measured.

At random points the whole chain runs as it does on the twin (2048 x 1088 frame, the sensor's
noise pixel by pixel, perception's shrinking) and its numbers are compared with what the cache
gives there. The same chain run twice, with two draws of noise, tells how much of that is noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dasha_ros.learning.dataset.cache.axes import PLANE, kind_of
from dasha_ros.learning.dataset.cache.cell_content import CellReader, light_fields
from dasha_ros.learning.dataset.cache.identity import check_pictures
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.view_camera import FRAME, REFERENCE_LX
from dasha_ros.optics.lens import WORKING_WIDTH_PX
from dasha_ros.optics.profiles import lens_model
from dasha_ros.optics.sensor import Sensor, SensorReadout, image_illuminance_lx
from dasha_ros.perception.image import working_image
from dasha_ros.twin.renderer import Renderer
from dasha_ros.twin.scene import Scene

Numbers = dict[str, Any]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Regime:
    """Where the points of a check lie."""

    name: str
    defocus: tuple[float, float]
    """Sizes of defocus [1/m]; the sign is drawn."""
    ev: tuple[float, float]
    on_grid: bool = False
    """Only at cells of the focus grid, where nothing is interpolated."""


REGIMES = (
    Regime("on cells: half-size drawing alone", (0.0, 3.0), (-1.0, 1.0), on_grid=True),
    Regime("near focus, well exposed", (0.0, 0.5), (-0.8, 0.6)),
    Regime("out of focus, well exposed", (0.5, 8.0), (-0.8, 0.6)),
    Regime("any focus, any light", (0.0, 8.0), (-9.0, 5.0)),
)


MOST_OFF = 0.05
"""Greatest mean of 1 - cosine of a latent on cells. Half-size drawing and noise make 0.001, another
photograph 0.7."""


@dataclass(frozen=True)
class Error:
    """Of one quantity in one regime."""

    regime: str
    quantity: str
    mean: float
    p95: float
    noise_mean: float
    """The same between two runs of the whole chain."""


def check(
    cache: PerceptCache,
    points: int = 25,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> list[Error]:
    """Compare look-ups with renderings.

    Args:
        cache: To check.
        points: In each of `REGIMES`; one takes about 0.3 s.
        seed: Seed of the points.
        progress: Told how many points are done, of how many.

    Returns:
        Errors by regime and quantity: absolute differences of ``score``, ``brisque`` and
        ``mean_grey``, mean ones of ``object_detail``, factors of ``sharpness`` in powers of 2, and 1 - cosine
        of each latent.

    Raises:
        AssetMissing: A photograph is not on this machine.
        CacheError: A photograph is not where it was, or is another one; or the cache is of another lens.
        SceneError: A photograph can't be read.
    """
    check_pictures(cache)
    cache.check_lens(lens_model())
    rng = np.random.default_rng(seed)
    reader = CellReader(detector=cache.meta.detector)
    latents = tuple(cache.meta.encoders)
    fields = ("score", "brisque", "sharpness", "mean_grey", "object_detail", *latents)
    errors: list[Error] = []
    plain = [number for number, view in enumerate(cache.views) if view.disturbance is None]
    for number, regime in enumerate(REGIMES):
        found: list[tuple[Numbers, Numbers, Numbers]] = []
        for point in range(points):
            view = plain[int(rng.integers(len(plain)))]
            defocus, ev = _drawn(cache, view, regime, rng)
            camera = FullCamera(cache.scenes[view], cache.views[view].layer)
            mid_grey, label = cache.views[view].mid_grey_lux_seconds, cache.views[view].label
            place, lux_seconds = reader.place(camera.grey(0.0, mid_grey, 0), label), mid_grey * 2.0**ev
            one, two = (
                {**reader.cell(grey, label, place), **light_fields(grey)}
                for grey in (camera.grey(defocus, lux_seconds, noise) for noise in (1, 2))
            )
            looked_up = {k: v[0] for k, v in cache.lookup(view, defocus, ev, point, fields).items()}
            found.append((looked_up, one, two))
            if progress:
                progress(number * points + point + 1, points * len(REGIMES))
        for quantity in fields:
            off = np.array([_distance(quantity, a[quantity], b[quantity]) for a, b, _ in found])
            noise = np.array([_distance(quantity, b[quantity], c[quantity]) for _, b, c in found])
            p95 = float(np.percentile(off, 95))
            errors.append(Error(regime.name, quantity, float(off.mean()), p95, float(noise.mean())))
    return errors


def is_foreign(errors: Sequence[Error]) -> bool:
    """Whether the latents of cells are not those that this machine computes."""
    own = [e.mean for e in errors if e.regime == REGIMES[0].name and e.quantity.startswith("latent")]
    return max(own) > MOST_OFF


class FullCamera:
    """The twin's chain from a scene to perception's working image, at full size."""

    def __init__(self, scene: Scene, layer: int) -> None:
        self._lens = lens_model()
        self._renderer = Renderer(scene, *FRAME, lens=self._lens)
        self._object_dioptres = 1.0 / scene.distances_m[layer]

    def grey(self, defocus: float, lux_seconds: float, seed: int) -> NDArray[np.uint8]:
        """One picture; see `view_camera.ViewCamera.grey`."""
        light = self._renderer.render(self._object_dioptres + defocus)
        image_lx = image_illuminance_lx(REFERENCE_LX, self._lens.f_number)
        frame = SensorReadout(Sensor(), seed).expose(light, image_lx, lux_seconds / REFERENCE_LX * 1e6)
        return working_image(frame, "mono8", WORKING_WIDTH_PX)


def _drawn(cache: PerceptCache, view: int, regime: Regime, rng: np.random.Generator) -> tuple[float, float]:
    low, high = regime.defocus
    if regime.on_grid:
        grid = cache.meta.grids.focus
        kind = kind_of(cache.views[view])
        inside = [d for d in grid.defocus(kind) if low <= abs(d) <= high]
        sign = float(rng.choice((-1.0, 1.0))) if kind == PLANE else 1.0
        return sign * float(rng.choice(inside)), float(rng.choice(grid.ev))
    return float(rng.uniform(low, high) * rng.choice((-1.0, 1.0))), float(rng.uniform(*regime.ev))


def _distance(quantity: str, a: Any, b: Any) -> float:
    if quantity.startswith("latent"):
        a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
        return float(1.0 - a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-12))
    if quantity == "sharpness":
        return abs(math.log2(max(float(a), 1e-6) / max(float(b), 1e-6)))
    return float(np.abs(np.asarray(a, np.float64) - b).mean())
