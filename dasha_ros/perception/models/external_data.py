"""Weights that an ONNX model keeps in other files: only files beside the model itself are opened.

ONNX Runtime 1.23 opens whatever place a model names, so a model could read any file of its user, or a device
that never ends. The place is checked here, before ONNX Runtime sees the model.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Any

from dasha_ros.files.errors import FileError, first_line, shown
from dasha_ros.files.regular import check_regular, open_regular
from dasha_ros.perception.errors import ModelError

_MOST_BYTES = 2**31
"""Protobuf reads no longer model."""


def check_external_data(path: Path) -> None:
    """Refuse a model whose weights are anywhere but in plain files of its own folder.

    Raises:
        ModelError: It names another place, or the package ``onnx`` is missing and can't tell.
    """
    try:
        with open_regular(path, _MOST_BYTES) as file, _mapped(file) as content:
            # Every place is the value of a key of this name; most models have none, and are not read twice.
            if content.find(b"location") < 0:
                return
    except FileError as error:
        raise ModelError(f"The model {error}.") from error
    try:
        import onnx
        from onnx.external_data_helper import uses_external_data
    except ImportError as error:
        raise ModelError(
            f"The model {path}: may keep weights in other files, and only the package onnx can tell: "
            "`pip install onnx`, or export the model into one file."
        ) from error
    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception:  # Whatever protobuf raises: ONNX Runtime will say what is wrong with it.
        return
    for tensor in _tensors(model):
        if uses_external_data(tensor):
            for entry in tensor.external_data:
                if entry.key == "location":
                    _check_place(path, entry.value)


def _mapped(file: Any) -> mmap.mmap:
    try:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise FileError(file.name, f"can't be read: {first_line(error)}") from error


def _tensors(message: Any) -> list[Any]:
    """Every tensor in a protobuf message, wherever it is: in graphs, sub-graphs, functions, attributes."""
    found, waiting = [], [message]
    while waiting:
        part = waiting.pop()
        if part.DESCRIPTOR.name == "TensorProto":
            found.append(part)
            continue
        for field, value in part.ListFields():
            if field.type == field.TYPE_MESSAGE:
                waiting.extend(value if hasattr(value, "__len__") else [value])
    return found


def _check_place(path: Path, place: str) -> None:
    if not place or Path(place).name != place or place in {".", ".."} or "\0" in place:
        raise ModelError(
            f"The model {path}: wants its weights from {shown(place)!r}, which is not beside it: it may be "
            "hostile and is not opened. Export it into one file."
        )
    beside = path.parent / place
    try:
        check_regular(beside)
        if beside.is_symlink():
            raise FileError(beside, "is a link; copy the file itself")
    except FileError as error:
        raise ModelError(f"The model {path}: its weights {error}.") from error
