"""Names of the converted models in the assets folder; `dasha_ros.assets.convert` makes them."""

from __future__ import annotations

from collections.abc import Mapping

YOLOV3_TINY = "models/yolov3-tiny.onnx"
EFFICIENTNET_LITE0 = "models/efficientnet-lite0.onnx"
EFFICIENTNET_LITE0_EARLY = "models/efficientnet-lite0-early.onnx"
EFFICIENTNET_LITE0_GRID = "models/efficientnet-lite0-grid.onnx"
BRISQUE = "models/brisque.npz"
NANODET = "models/nanodet.onnx"
CENTERNET = "models/centernet.onnx"

OPTIONAL: Mapping[str, str] = {NANODET: "detectors", CENTERNET: "detectors"}
"""The optional set of raw files that a converted model needs; the others need ``base`` alone."""
