"""What the package ``efficientnet-lite-pytorch`` 0.1.0 computes for one photograph, on PyTorch.

The numbers in ``efficientnet_reference.json`` were written, with torch 2.14.1, by

    pip install torch efficientnet-lite-pytorch==0.1.0 scikit-image
    python test/perception/efficientnet_reference.py PATH/efficientnet-lite0.pth
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

NUMBERS = Path(__file__).with_suffix(".json")
STAGE_ENDS = (0, 2, 4)
"""Blocks that end stages 1 to 3."""


def photograph(size: int) -> NDArray[np.uint8]:
    """A grey photograph of scikit-image, every pixel or every second one of it: 448 or 224 pixels."""
    import skimage.data

    step = 448 // size
    return np.ascontiguousarray(skimage.data.camera()[:448:step, :448:step])


def compute(weights: Path) -> dict[str, list[float]]:
    """The last latent at 224 pixels and the early one at 448."""
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    net = EfficientNet.from_name("efficientnet-lite0")
    net.load_state_dict(torch.load(weights, weights_only=True))
    net.eval()
    layers = []
    for module in (net._blocks[0]._depthwise_conv, *(net._blocks[end] for end in STAGE_ENDS)):
        if module is net._blocks[0]._depthwise_conv:
            module.register_forward_pre_hook(lambda _module, inputs: layers.append(inputs[0]))
        else:
            module.register_forward_hook(lambda _module, _inputs, output: layers.append(output))

    def features(size: int) -> torch.Tensor:
        layers.clear()
        plane = torch.from_numpy(photograph(size)).float()
        return net.extract_features(((plane / 255 - 0.5) / 0.5).expand(1, 3, size, size))

    with torch.no_grad():
        last = features(224).mean(dim=(0, 2, 3))
        features(448)
        early = [layer.mean(dim=(0, 2, 3)) for layer in layers]
        early += [layer.std(dim=(0, 2, 3), unbiased=False) for layer in layers]
    return {
        "efficientnet_lite0": [round(v, 5) for v in last.tolist()],
        "efficientnet_lite0_early": [round(v, 5) for v in torch.cat(early).tolist()],
    }


if __name__ == "__main__":
    NUMBERS.write_text(json.dumps(compute(Path(sys.argv[1]))) + "\n")
