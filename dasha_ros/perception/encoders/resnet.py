"""ResNet-152 on PyTorch, the paper's encoder."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.perception.models.torch import import_torch, import_torchvision, load_weights

_INPUT_SIZE = 224
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)


class ResNet152:
    """The layer before the classifier, 2048 numbers, for the whole frame resized to 224 x 224 pixels."""

    size = 2048

    def __init__(
        self, weights: str | Path | None = None, bfloat16: bool = False, device: str = "cpu", threads: int = 0
    ) -> None:
        """Load the model.

        Args:
            weights: A local file with torchvision's ResNet-152 weights, or ``random``; by default
                ``IMAGENET1K_V2``, which torchvision downloads once.
            bfloat16: Use half the memory traffic and channels last: about twice as fast on recent
                processors, with latents that differ by about 1 %.
            device: PyTorch's device.
            threads: PyTorch's threads, for the whole process; 0 keeps its own choice.

        Raises:
            ModelError: PyTorch or the weights are missing.
        """
        torch, torchvision = import_torch(threads), import_torchvision()
        net = torchvision.models.resnet152(weights=None)
        load_weights(net, weights, torchvision.models.ResNet152_Weights.IMAGENET1K_V2)
        net.fc = torch.nn.Identity()
        self.id = "resnet152_random" if weights == "random" else "resnet152"
        self._torch = torch
        self._dtype = torch.bfloat16 if bfloat16 else torch.float32
        layout = torch.channels_last if bfloat16 else torch.contiguous_format
        self._net = net.eval().to(device=device, dtype=self._dtype, memory_format=layout)
        self._device = device

    def encode(self, grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Encode an image H x W, repeated in the three colour channels."""
        torch = self._torch
        square = cv2.resize(grey, (_INPUT_SIZE, _INPUT_SIZE), interpolation=cv2.INTER_AREA)
        with torch.inference_mode():
            plane = torch.from_numpy(np.asarray(square)).to(self._device).float() / 255
            mean = torch.tensor(_MEAN, device=self._device)[:, None, None]
            deviation = torch.tensor(_DEVIATION, device=self._device)[:, None, None]
            image = ((plane - mean) / deviation)[None].to(self._dtype)
            latent = self._net(image)[0].float().cpu().numpy()
        return np.asarray(latent, dtype=np.float32)
