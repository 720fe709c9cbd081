"""What perception reads from one view at one defocus and one exposure: the content of a cell, and of a view.

Pictures come from `view_camera` and are read one by one: on a processor, batches of 2 to 8 save
nothing (detector 28.0 ms a picture alone, 28.5 in eights; encoders 9.1 and 10.0), and parallel
processes already fill the cores.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.assets import models
from dasha_ros.estimation.detail_reading import object_detail
from dasha_ros.estimation.readout import CHANNELS, GRID_ENCODER
from dasha_ros.learning.dataset.cache.axes import Grids, kind_of
from dasha_ros.learning.dataset.cache.colour_camera import COLOUR_FIELDS, NO_COLOUR, ColourCamera, Colours
from dasha_ros.learning.dataset.cache.store import CacheError
from dasha_ros.learning.dataset.cache.view_camera import Grey, ViewCamera
from dasha_ros.learning.dataset.scenes.views import View
from dasha_ros.optics.binned import HalfSizeReadout
from dasha_ros.optics.profiles import lens_model
from dasha_ros.perception.detectors import Detector, create_detector
from dasha_ros.perception.encoders import create_encoder
from dasha_ros.perception.encoders.encoder import Encoder
from dasha_ros.perception.models.session import model_path
from dasha_ros.perception.percept import Detection
from dasha_ros.perception.quality.brisque import BLANK_SCORE, FEATURES, Brisque, BrisqueModel
from dasha_ros.perception.quality.detail import BANDS
from dasha_ros.perception.quality.detail_map import detail_map
from dasha_ros.perception.quality.histogram import BINS, histogram
from dasha_ros.perception.quality.sharpness import Sharpness

MIN_SCORE = 0.02
"""Detections below are stored as 0. Far below any threshold, so that interpolation meets no cliff."""
ENERGIES = 8
BLUR_FEATURES = FEATURES + ENERGIES
Array = NDArray[np.float64]
Cell = Mapping[str, NDArray[np.floating] | float]
"""The fields of a cell by name."""
ENCODERS: Mapping[str, str] = {"latent": "efficientnet_lite0", "latent_grid": "efficientnet_lite0_grid"}
"""Field by field, which encoder's latent it holds."""
EARLY = "latent_early", "efficientnet_lite0_early"
"""A field that is not encoded but pooled from the grid, and the encoder that would make it."""


def encoders_for(encoder: str) -> dict[str, str]:
    """The part of `ENCODERS` that learning from an encoder's latents needs: that encoder, and the grid's.

    Args:
        encoder: Id of the encoder.

    Raises:
        CacheError: No cache holds its latents.
    """
    if encoder not in (known := (*ENCODERS.values(), EARLY[1])):
        raise CacheError(f"no percept cache holds latents of {encoder}; caches hold {', '.join(known)}")
    return {field: name for field, name in ENCODERS.items() if name in {encoder, GRID_ENCODER}}


def encoded(held: Mapping[str, str]) -> dict[str, str]:
    """The latent fields of a cache that were encoded, of all that it holds."""
    return {field: name for field, name in held.items() if field != EARLY[0]}


class CellReader:
    """Perception, one thread, into the fields of a cell."""

    def __init__(
        self, encoders: Mapping[str, str] = ENCODERS, detector: str = "yolov3_tiny", *, colour: bool = False
    ) -> None:
        """Load the models.

        Args:
            encoders: Name of each latent field and its encoder; one must be the grid's.
            detector: By name.
            colour: Whether cells hold `COLOUR_FIELDS`.

        Raises:
            ModelError: A model is missing; the message says what to do.
        """
        self.encoders: dict[str, Encoder] = {
            field: create_encoder(name, threads=1) for field, name in encoders.items()
        }
        self.detector: Detector = create_detector(detector, threads=1)
        self.colour = colour
        self._model = BrisqueModel.load(model_path(None, models.BRISQUE))
        self._brisque = Brisque(self._model)

    def shapes(self) -> dict[str, tuple[tuple[int, ...], type[np.generic]]]:
        """Shape and type of each field of a cell."""
        latents = {field: ((encoder.size,), np.float16) for field, encoder in self.encoders.items()}
        colour = COLOUR_FIELDS if self.colour else {}
        return {**latents, EARLY[0]: ((2 * CHANNELS,), np.float16), **SCALARS, **colour}

    def find(self, grey: Grey, min_score: float = MIN_SCORE) -> list[Detection]:
        """What the detector sees; boxes in pixels of ``grey``."""
        return self.detector.detect(grey, min_score)

    def place(self, grey: Grey, label: str) -> Array:
        """The box of the best detection in a view's sharp picture, as fractions of the frame, shape (4,).

        NaN where the detector finds nothing.
        """
        return _box(next((d for d in self.detector.detect(grey, MIN_SCORE, (label,))), None), grey)

    def cell(self, grey: Grey, label: str, place: Array) -> dict[str, NDArray[np.floating] | float]:
        """Every field of a cell but those of `colour_fields` and `light_fields`; see `PerceptCache.fields`.

        Args:
            grey: The working image.
            label: What the view asks for.
            place: Where that is in the sharp picture; see `place`.
        """
        features = self._brisque.features(grey)
        sharpness, detail = Sharpness(grey), detail_map(grey)
        best = next((d for d in self.detector.detect(grey, MIN_SCORE, (label,))), None)
        energies = blur_energies(grey)
        latents = {encoder.id: encoder.encode(grey) for encoder in self.encoders.values()}
        return {
            **{field: latents[encoder.id] for field, encoder in self.encoders.items()},
            EARLY[0]: pooled(latents[GRID_ENCODER]),
            "brisque": BLANK_SCORE if features is None else self._model.predict(features),
            "blur_features": np.concatenate([np.zeros(FEATURES) if features is None else features, energies]),
            "sharpness": sharpness.frame(),
            "score": best.score if best else 0.0,
            "box": np.nan_to_num(_box(best, grey)),
            "box_sharpness": sharpness.box(best.box) if best else 0.0,
            "box_detail": object_detail(detail, _box(best, grey)),
            "object_detail": object_detail(detail, place),
        }


def _box(found: Detection | None, grey: Grey) -> Array:
    rows, columns = grey.shape
    return np.array(found.box) / (columns, rows, columns, rows) if found else np.full(4, np.nan)


SCALARS: Mapping[str, tuple[tuple[int, ...], type[np.generic]]] = {
    "brisque": ((), np.float32),
    "blur_features": ((BLUR_FEATURES,), np.float32),
    "sharpness": ((), np.float32),
    "score": ((), np.float32),
    "box": ((4,), np.float32),
    "box_sharpness": ((), np.float32),
    "box_detail": ((BANDS,), np.float32),
    "object_detail": ((BANDS,), np.float32),
}
LIGHT_FIELDS: Mapping[str, tuple[tuple[int, ...], type[np.generic]]] = {
    "mean_grey": ((), np.float32),
    "histogram": ((BINS,), np.float16),
}


def light_fields(grey: Grey) -> dict[str, NDArray[np.floating] | float]:
    """What says how bright a picture is: the fields of `LIGHT_FIELDS`."""
    seen = histogram(grey)
    return {"mean_grey": seen.mean, "histogram": seen.counts / grey.size}


def view_cells(
    reader: CellReader, view: View, grids: Grids, readout: HalfSizeReadout
) -> dict[str, NDArray[Any]]:
    """All cells of a view: of each field the rows that `Layout.part` has for it, in their order.

    Args:
        reader: Reads the pictures.
        view: The view.
        grids: Where cells lie.
        readout: Readout of the sensor; may be shared between views.

    Raises:
        AssetMissing: A photograph is not on this machine.
        SceneError: The scene can't be used.
    """
    kind, at = kind_of(view.info), view.info.mid_grey_lux_seconds
    camera = ViewCamera(view.scene, view.info.layer, lens_model(), readout, view.info.disturbance)
    place = reader.place(camera.grey(camera.light(0.0), at), view.info.label)
    cells: list[Cell] = []
    known: dict[tuple[float, float, int], Cell] = {}
    for grid in (grids.focus, grids.light):
        for point, grey in zip(grid.points(kind), camera.pictures(grid, kind, at), strict=True):
            # Both grids have some cells in common.
            if point not in known:
                known[point] = reader.cell(grey, view.info.label, place)
            cells.append(known[point])
    if reader.colour:
        pictures = ColourCamera(view, readout).colours(grids.focus, kind, at)
        cells = [
            {**cell, **(NO_COLOUR if colours is None else colour_fields(colours, cell, place))}
            for cell, colours in zip_longest(cells, pictures)
        ]
    greys = [light_fields(grey) for grey in camera.pictures(grids.grey, kind, at)]
    return {**_stacked(cells, reader.shapes()), **_stacked(greys, LIGHT_FIELDS)}


def colour_fields(colours: Colours, cell: Cell, place: Array) -> dict[str, NDArray[np.floating]]:
    """What red and blue show of an object: the fields of `COLOUR_FIELDS`.

    Args:
        colours: The pictures.
        cell: What `CellReader.cell` read from the grey picture.
        place: Where the object is in the sharp picture.
    """
    maps = [[detail_map(colour) for colour in side] for side in colours]
    box = np.asarray(cell["box"]) if cell["score"] else np.full(4, np.nan)
    places = {"box_colour": box, "object_colour": place}
    return {
        name: np.array([[object_detail(m, at) for m in side] for side in maps]) for name, at in places.items()
    }


def _stacked(
    cells: Sequence[Cell],
    shapes: Mapping[str, tuple[tuple[int, ...], type[np.generic]]],
) -> dict[str, NDArray[Any]]:
    return {name: np.array([cell[name] for cell in cells], kind) for name, (_, kind) in shapes.items()}


def pooled(grid: NDArray[np.float32]) -> NDArray[np.float32]:
    """The early latent, shape (224,), of the grid's, shape (6272,): statistics of all cells together."""
    cells = grid.reshape(-1, 2, CHANNELS)
    means, deviations = cells[:, 0], cells[:, 1]
    deviation = np.sqrt((deviations**2).mean(axis=0) + means.var(axis=0))
    return np.concatenate([means.mean(axis=0), deviation])


def blur_energies(grey: Grey) -> NDArray[np.float64]:
    """Eight numbers that fall with blur: log energies of Laplacian (4 sizes) and gradient (3), and contrast.

    Each is relative to the squared mean grey level, as Tenengrad is here, so that exposure cancels.
    """
    image = grey.astype(np.float32)
    mean_square = max(float(image.mean()), 1.0) ** 2
    values = [math.log10(float(image.var()) / mean_square + 1e-6)]
    for size in range(4):
        laplacian = cv2.Laplacian(image, cv2.CV_32F)
        values.append(_log_energy(laplacian, mean_square))
        if size < 3:
            values.append(
                _log_energy(cv2.Sobel(image, cv2.CV_32F, 1, 0), mean_square)
                + _log_energy(cv2.Sobel(image, cv2.CV_32F, 0, 1), mean_square)
            )
        image = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.array(values)


def _log_energy(gradient: NDArray[np.float32], mean_square: float) -> float:
    return math.log10(cv2.norm(gradient, cv2.NORM_L2SQR) / gradient.size / mean_square + 1e-6)
