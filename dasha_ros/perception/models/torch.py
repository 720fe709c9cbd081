"""Imports PyTorch and loads weights, with helpful errors, for encoders and detectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dasha_ros.files.errors import first_line
from dasha_ros.files.naming import expanded
from dasha_ros.perception.errors import ModelError
from dasha_ros.perception.models.weights import RANDOM, check_torch
from dasha_ros.system.extras import how_to_install


def import_torch(threads: int = 0) -> Any:
    """Import PyTorch, and set its threads for the whole process (0 keeps its own choice).

    Raises:
        ModelError: PyTorch is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise ModelError(
            f"This model needs PyTorch, which is not installed: {how_to_install('torch')}, "
            "or choose an embedded model (efficientnet_lite0, yolov3_tiny)."
        ) from error
    if threads > 0:
        torch.set_num_threads(threads)
    return torch


def import_torchvision() -> Any:
    """Import the models of torchvision.

    Raises:
        ModelError: torchvision is not installed.
    """
    try:
        import torchvision
        import torchvision.models.detection
    except ImportError as error:
        raise ModelError(
            f"This model needs torchvision, which is not installed: {how_to_install('torch')}, "
            "or choose an embedded model (efficientnet_lite0, yolov3_tiny)."
        ) from error
    return torchvision


def load_weights(net: Any, weights: str | Path | None, published: Any) -> None:
    """Load weights into a network.

    Args:
        net: The network to fill, in place.
        weights: A local file, or `RANDOM`; by default the published weights.
        published: The entry of torchvision's weights enumeration.

    Raises:
        ModelError: The weights can't be loaded or belong to another network.
    """
    if weights == RANDOM:
        return
    if weights:
        check_torch(weights)
    torch = import_torch()
    name = published.url.rsplit("/", 1)[-1]
    try:
        if weights:
            state = torch.load(expanded(weights, ModelError), map_location="cpu", weights_only=True)
        else:
            state = published.get_state_dict(progress=False, check_hash=True, map_location="cpu")
    except Exception as error:  # no network, a full disk, a wrong hash, a hostile pickle
        if weights:
            raise ModelError(
                f"The weights {weights}: can't be read as plain tensors ({first_line(error)}): give a file "
                f"of torchvision's, such as {name}."
            ) from error
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        raise ModelError(
            f"Cannot get the weights {name} ({error}). On a machine with internet download "
            f"{published.url}, then copy it into {folder} or give its path as the weights."
        ) from error
    try:
        net.load_state_dict(state)
    except Exception as error:
        raise ModelError(
            f"The weights {weights or name} belong to another network than {published}: "
            f"{str(error).splitlines()[0]}"
        ) from error
