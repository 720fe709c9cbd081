"""Judges the weights files that users name, before any library that could load them is imported.

The networks themselves ask these functions, and so does whoever wants to know before it starts a process.
"""

from __future__ import annotations

import os
from pathlib import Path

from dasha_ros.files.naming import expanded
from dasha_ros.perception.errors import ModelError
from dasha_ros.perception.models.files import check_file

RANDOM = "random"
"""Stands for the weights of an untrained network, for tests."""


def check_onnx(weights: str | Path) -> None:
    """Refuse a file that ONNX Runtime can't open.

    Raises:
        ModelError: It does not exist, or can't be a model of any format.
    """
    path = expanded(weights, ModelError)
    if not os.path.lexists(path):
        raise ModelError(f"There is no model file {path}. Run the set-up, or give another path.")
    check_file(path)


def check_torch(weights: str | Path) -> None:
    """Refuse a file whose tensors PyTorch can't read.

    Raises:
        ModelError: It does not exist, or can't be a model of any format.
    """
    if weights == RANDOM:
        return
    path = expanded(weights, ModelError)
    if not os.path.lexists(path):
        raise ModelError(
            f"Cannot get the weights {weights} (there is no such file): give the path of a file of "
            "torchvision's, or no weights for the published ones."
        )
    check_file(path)


def check_ultralytics(weights: str | Path) -> None:
    """Refuse a file that ultralytics can't open; a name without a folder may be one that it downloads.

    Raises:
        ModelError: It does not exist, or can't be a model of any format.
    """
    if weights == RANDOM:
        return
    path = expanded(weights, ModelError)
    if os.path.lexists(path):
        if not path.is_dir():
            check_file(path)
    elif os.sep in str(weights):
        raise unavailable(str(path), "there is no such file")


def unavailable(chosen: str, why: str) -> ModelError:
    """The error about a model of ultralytics that is not here."""
    return ModelError(
        f"Cannot get the model {chosen} ({why}). On a machine with internet download it from "
        "https://github.com/ultralytics/assets/releases, then give its path as the weights."
    )
