"""Models as ONNX Runtime reads them, converted at set-up from the files that packages ship.

``python -m dasha_ros.perception.models`` converts; running it again repairs.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

YOLOV3_TINY = "models/yolov3-tiny.onnx"
EFFICIENTNET_LITE0 = "models/efficientnet-lite0.onnx"
EFFICIENTNET_LITE0_EARLY = "models/efficientnet-lite0-early.onnx"
EFFICIENTNET_LITE0_GRID = "models/efficientnet-lite0-grid.onnx"
BRISQUE = "models/brisque.npz"


def convert_all(folder: Path, progress: Callable[[str], None] = lambda _line: None) -> list[Path]:
    """Convert every model that is missing or out of date; the others are left alone.

    Args:
        folder: The assets folder, which holds ``models/`` with the raw files.
        progress: Called with one line per model.

    Returns:
        The converted files.

    Raises:
        ModelError: A raw file is missing, corrupt or another one than was pinned.
    """
    from dasha_ros.perception.models.convert import convert_all as convert

    return convert(folder, progress)
