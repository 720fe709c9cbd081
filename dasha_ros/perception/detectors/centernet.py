"""CenterNet with a MobileNetV3 on ONNX Runtime, an optional detector.

The method is that of Zhou et al., "Objects as Points", 2019; the network, of github
610265158/mobilenetv3_centernet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from dasha_ros.assets import models
from dasha_ros.perception.detectors.fixed_input import FixedInputDetector, Found

_STRIDE = 4
"""Side of a cell of the heat map [px of the input]."""


class CenterNet(FixedInputDetector):
    """Finds the 80 classes of COCO.

    An object is a peak of a class's heat map, so no overlaps are suppressed.
    """

    id, asset = "centernet", models.CENTERNET
    scores: ClassVar = {"heat": 3}

    def _found(self, outputs: Mapping[str, NDArray[np.float32]], min_score: float) -> Found:
        """See `FixedInputDetector`."""
        return _decode(outputs["heat"][0], outputs["sides"][0], min_score)


def _decode(heat: NDArray[np.float32], sides: NDArray[np.float32], min_score: float) -> Found:
    """Boxes [px of the input], scores and classes of the peaks that reach ``min_score``.

    Args:
        heat: Rows x columns x classes, 0..1.
        sides: Rows x columns x 4: distances to left, top, right, bottom [px of the input].
        min_score: Weaker peaks are dropped.
    """
    row, column, classes = np.nonzero(heat >= min_score)
    # Only what reaches the score is compared with its neighbours: the map has 1.3 million values.
    around = np.pad(heat, ((1, 1), (1, 1), (0, 0)), constant_values=-1.0)
    best = np.max([around[row + i, column + j, classes] for i in range(3) for j in range(3)], axis=0)
    peaks = heat[row, column, classes] >= best
    row, column, classes = row[peaks], column[peaks], classes[peaks]
    centre = np.stack([column, row], axis=1).astype(np.float32) * _STRIDE
    away = sides[row, column]
    boxes = np.concatenate([centre - away[:, :2], centre + away[:, 2:]], axis=1)
    return boxes.astype(np.float32), heat[row, column, classes], classes
