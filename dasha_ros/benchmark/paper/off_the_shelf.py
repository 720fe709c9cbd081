"""The detectors of a run that are on this machine, and why the others are not."""

from __future__ import annotations

import os
from pathlib import Path

from dasha_ros.benchmark.paper.part import DETECTORS, Context, PartMissingError
from dasha_ros.files.naming import expanded
from dasha_ros.perception.detectors import Detector, create_detector
from dasha_ros.perception.errors import ModelError, UnknownModelError

_TORCH = {"ultralytics": "yolov5*.pt", "faster_rcnn": "fasterrcnn_*.pth", "retinanet": "retinanet_*.pth"}
"""The paper's detectors, and the files of their weights."""
_CHECKPOINTS = "PyTorch's checkpoints ($TORCH_HOME/hub/checkpoints, else ~/.cache/torch/hub/checkpoints)"
_SAID = {"ultralytics": "the working folder", "faster_rcnn": _CHECKPOINTS, "retinanet": _CHECKPOINTS}
"""Where these are looked for, without the paths of a machine: the page is passed on."""


def present(context: Context) -> tuple[dict[str, Detector], dict[str, str]]:
    """Load the detectors of a run; those of the paper too, if the run names none.

    A detector of the paper is loaded only if its weights are here: else its library would download them
    unasked.

    Returns:
        The detectors by name, and the reasons of those that are missing.

    Raises:
        UnknownModelError: No detector has a name.
    """
    found: dict[str, Detector] = {}
    missing: dict[str, str] = {}
    names = context.detectors if context.detectors != DETECTORS else (*DETECTORS, *_TORCH)
    for name in dict.fromkeys(names):
        if name in _TORCH and name not in context.detectors and not _weights(name):
            missing[name] = f"its weights ({_TORCH[name]}) are not in {_SAID[name]}"
            continue
        try:
            found[name] = create_detector(name)
        except UnknownModelError:
            raise
        except ModelError as error:
            missing[name] = str(error)
    return found, missing


def _folder(name: str) -> Path:
    """Where the library of a detector keeps its weights."""
    if name == "ultralytics":
        return Path.cwd()
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("TORCH_HOME", f"{cache}/torch")
    return expanded(home, PartMissingError) / "hub" / "checkpoints"


def _weights(name: str) -> bool:
    return any(_folder(name).glob(_TORCH[name]))
