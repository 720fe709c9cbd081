"""Small pictures in every encoding, and what cv_bridge makes of them.

``cv_bridge_results.json`` was written with Debian's python3-cv-bridge 1.16.2 and OpenCV 4.6.0 by

    python3 test/cv_bridge_reference.py > test/cv_bridge_results.json

The pictures are the same everywhere. Encodings that a cv_bridge does not know are left out: Debian's
has no yuv422_yuy2.
"""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import numpy as np

HEIGHT, WIDTH = 8, 12
ENCODINGS = {
    **dict.fromkeys(("mono8", "8UC1"), ("uint8", 1)),
    **dict.fromkeys(("mono16", "16UC1"), ("uint16", 1)),
    **dict.fromkeys(("rgb8", "bgr8"), ("uint8", 3)),
    **dict.fromkeys(("rgb16", "bgr16"), ("uint16", 3)),
    **dict.fromkeys(("rgba8", "bgra8"), ("uint8", 4)),
    **dict.fromkeys(("rgba16", "bgra16"), ("uint16", 4)),
    **{f"bayer_{order}8": ("uint8", 1) for order in ("rggb", "bggr", "gbrg", "grbg")},
    **{f"bayer_{order}16": ("uint16", 1) for order in ("rggb", "bggr", "gbrg", "grbg")},
    **dict.fromkeys(("yuv422", "yuv422_yuy2"), ("uint8", 2)),
    "32FC1": ("float32", 1),
}
"""Type of a channel's values, and the number of channels."""
COLOURLESS = ("8UC1", "16UC1", "32FC1")
"""cv_bridge converts these into no other encoding, because their names do not say what they show."""


def message(encoding: str, big_endian: bool) -> SimpleNamespace:
    """A picture of random values. Its rows are not padded: cv_bridge 1.16 does not skip padding."""
    dtype, channels = np.dtype(ENCODINGS[encoding][0]), ENCODINGS[encoding][1]
    random = np.random.default_rng(sum(map(ord, encoding)))
    shape = (HEIGHT, WIDTH, channels)
    if dtype.kind == "f":
        values = random.random(shape).astype(dtype)
    else:
        values = random.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    return SimpleNamespace(
        height=HEIGHT,
        width=WIDTH,
        encoding=encoding,
        is_bigendian=int(big_endian),
        step=WIDTH * channels * dtype.itemsize,
        data=values.astype(dtype.newbyteorder(">" if big_endian else "<")).tobytes(),
    )


def main() -> None:
    """Print the results as JSON."""
    import cv2
    from cv_bridge import CvBridge, CvBridgeError

    bridge = CvBridge()
    results = {}
    for encoding in ENCODINGS:
        for big_endian in (False, True):
            made = message(encoding, big_endian)
            try:
                entry = {"pixels": bridge.imgmsg_to_cv2(made).tolist()}
            except CvBridgeError as error:
                print(error, file=sys.stderr)
                continue
            if encoding not in COLOURLESS:
                entry["mono8"] = bridge.imgmsg_to_cv2(made, "mono8").tolist()
            results[f"{encoding}{' big endian' * big_endian}"] = entry
    print(json.dumps({"opencv": cv2.__version__, "results": results}))


if __name__ == "__main__":
    main()
