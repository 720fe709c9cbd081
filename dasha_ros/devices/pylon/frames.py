"""From pylon's grab results to pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class FrameReader:
    """Reads grab results of one pixel format as one ROS encoding.

    12-bit values fill the upper bits of mono16, so that white is white for every reader.
    """

    def __init__(self, encoding: str, pixel_format: str) -> None:
        self.encoding = encoding
        self._shift = 4 if pixel_format == "Mono12" else 0
        self._converter: Any = None
        if pixel_format.startswith("Bayer"):
            from pypylon import pylon

            self._converter = pylon.ImageFormatConverter()
            self._converter.OutputPixelFormat.Value = "RGB8Packed" if encoding == "rgb8" else "BGR8Packed"

    def pixels(self, result: Any) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """The picture, in memory of its own: shape (height, width) or (height, width, 3)."""
        source = result if self._converter is None else self._converter.Convert(result)
        pixels: NDArray[np.uint8] | NDArray[np.uint16] = source.GetArray()
        return np.left_shift(pixels, self._shift) if self._shift else pixels

    @staticmethod
    def chunk(result: Any, name: str) -> float | None:
        """A value that the frame itself reports, such as ``ExposureTime``; ``None`` where it does not."""
        if not result.IsChunkDataAvailable():
            return None
        node = result.GetChunkDataNodeMap().GetNode(f"Chunk{name}")
        return float(node.GetValue()) if node is not None and node.IsReadable() else None
