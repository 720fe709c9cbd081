"""Pictures and the scores that the package ``brisque`` 0.2.0 gives them.

The scores in ``brisque_reference.json`` were written, with numpy 2.2.6 and
scikit-image 0.25.2, by

    pip install brisque==0.2.0 "numpy<2.3" scikit-image opencv-python-headless
    python test/perception/brisque_reference.py
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SCORES = Path(__file__).with_suffix(".json")
PHOTOGRAPHS = ("astronaut", "camera", "chelsea", "coffee", "coins", "moon", "page")


def pictures() -> dict[str, NDArray[np.uint8]]:
    """Photographs of scikit-image as a camera would see them; by name, H x W."""
    import skimage.data

    made = {}
    for number, name in enumerate(PHOTOGRAPHS):
        photograph = getattr(skimage.data, name)()
        if photograph.ndim == 3:
            photograph = cv2.cvtColor(photograph, cv2.COLOR_RGB2GRAY)
        light = photograph.astype(np.float64)
        blurred = cv2.GaussianBlur(light, (0, 0), 3)
        read_noise = np.random.default_rng(number).normal(0, 2, light.shape)
        seen = {
            "noisy": light + read_noise,
            "dark": light * 0.1 + read_noise,
            "blurred": blurred + read_noise,
            "dark_blurred": blurred * 0.1 + read_noise,
            "over_exposed": light * 3 + read_noise,
            "clean": light,
            "clean_blurred": blurred,
            "clean_dark": light * 0.1,
        }
        for kind, image in seen.items():
            made[f"{name}_{kind}"] = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    return made


def fingerprint(image: NDArray[np.uint8]) -> int:
    """Identifies the picture that was scored."""
    return zlib.crc32(np.ascontiguousarray(image))


def main() -> None:
    """Score every picture with the reference package."""
    from brisque import BRISQUE

    reference = BRISQUE()
    rows = {
        name: {"crc32": fingerprint(image), "score": round(float(reference.score(np.dstack([image] * 3))), 6)}
        for name, image in pictures().items()
    }
    SCORES.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
