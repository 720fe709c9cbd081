"""Names of the converted models in the assets folder; `dasha_ros.assets.convert` makes them."""

from __future__ import annotations

YOLOV3_TINY = "models/yolov3-tiny.onnx"
EFFICIENTNET_LITE0 = "models/efficientnet-lite0.onnx"
EFFICIENTNET_LITE0_EARLY = "models/efficientnet-lite0-early.onnx"
EFFICIENTNET_LITE0_GRID = "models/efficientnet-lite0-grid.onnx"
BRISQUE = "models/brisque.npz"
