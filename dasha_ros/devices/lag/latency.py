"""The measured lag of a model, and the file that keeps it.

The file is YAML::

    model: 046d:0825 Some webcam
    exposure_frames: 3        # frames after a command that do not show the new exposure yet
    focus_frames: 5           # the same for the focus, until it has settled; left out: it has none
    frame_ms: 33.3            # time between two frames while this was measured
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from dasha_ros.files.errors import FileError
from dasha_ros.files.naming import expanded
from dasha_ros.files.writing import write_whole
from dasha_ros.freshness.lag import MOST_FRAMES
from dasha_ros.system.folders import user_folder

FOLDER = "~/.ros/dasha/latency"
"""Where measured lags are kept, a file a model."""
ASSUMED_FRAMES = 6
"""The lag of a device that nobody measured: more than any webcam that we know of."""
MARGIN_FRAMES = 1
"""A measured lag may be one frame too short, because a command comes at any moment of a frame."""
SLOWEST_S = 1.0 / 15.0
"""Time between two frames where nobody measured it [s]."""
_FRAME_MS_MAX = 10_000.0
_KEYS = {"model", "exposure_frames", "focus_frames", "frame_ms"}


@dataclass(frozen=True, slots=True)
class Latency:
    """How far a device's pictures lag behind its settings."""

    model: str
    exposure_frames: int = ASSUMED_FRAMES
    """Frames after a command that may show the old exposure."""
    focus_frames: int | None = ASSUMED_FRAMES
    """Frames after a command until the focus has settled; ``None``: it was not measured."""
    frame_s: float = 0.0
    """Time between two frames while this was measured [s]; 0: not known."""
    source: str = ""
    """The file; empty: it is assumed."""

    def __str__(self) -> str:
        """For the diagnostics."""
        focus = "" if self.focus_frames is None else f", focus {self.focus_frames}"
        frames = f"exposure {self.exposure_frames}{focus} frames"
        if self.source:
            return f"{frames}, from {self.source}"
        return f"{frames}, assumed; measure it with `dasha calibrate latency`"


def file_of(model: str, folder: Path | None = None) -> Path:
    """Where the lag of a model is kept; the folder is made if it is missing."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", model).strip("-").lower() or "unnamed"
    return (folder or user_folder(FOLDER)) / f"{name}.yaml"


def write_latency(path: Path, latency: Latency) -> None:
    """Write the measured lag of a model.

    Raises:
        OSError: The file can't be written.
    """
    import yaml

    document: dict[str, object] = {"model": latency.model, "exposure_frames": latency.exposure_frames}
    if latency.focus_frames is not None:
        document["focus_frames"] = latency.focus_frames
    document["frame_ms"] = round(latency.frame_s * 1e3, 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, yaml.safe_dump(document, sort_keys=False))


def read_latency(path: Path, model: str) -> Latency:
    """Read the lag of a model.

    Raises:
        FileError: The file can't be used, or holds the lag of another model.
    """
    # Imported here, because the doctor runs where PyYAML is missing.
    from dasha_ros.files.documents import read_yaml

    try:
        document = read_yaml(path)
    except FileError as error:
        advice = "name another, or run `dasha calibrate latency`"
        raise FileError(path, f"{error.reason}: {advice}") from error
    if not isinstance(document, dict) or not {"model", "exposure_frames"} <= set(document) <= _KEYS:
        raise FileError(path, f"a measured lag has the keys {', '.join(sorted(_KEYS))}")
    if document["model"] != model:
        raise FileError(
            path,
            f"holds the lag of {document['model']!r}, and this device is {model!r};"
            " measure it with `dasha calibrate latency`",
        )
    focus = document.get("focus_frames")
    return Latency(
        model,
        _whole(path, "exposure_frames", document["exposure_frames"]),
        None if focus is None else _whole(path, "focus_frames", focus),
        _milliseconds(path, document.get("frame_ms", 0.0)) / 1e3,
        str(path),
    )


def latency_of(model: str, path: str = "") -> Latency:
    """The lag of a model: from ``path``, else as it was measured on this machine, else assumed.

    Raises:
        FileError: The file can't be used, or holds the lag of another model.
    """
    if path:
        return read_latency(expanded(path), model)
    kept = file_of(model)
    return read_latency(kept, model) if kept.is_file() else Latency(model)


def _whole(path: Path, key: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_FRAMES - MARGIN_FRAMES:
        raise FileError(
            path, f"{key} is {value!r}; it must be a whole number from 0 to {MOST_FRAMES - MARGIN_FRAMES}"
        )
    return value


def _milliseconds(path: Path, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= _FRAME_MS_MAX:
        raise FileError(path, f"frame_ms is {value!r}; it must lie in 0 to {_FRAME_MS_MAX:g}")
    return float(value)
