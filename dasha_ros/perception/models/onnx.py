"""Reads the description of an exported ONNX model from its metadata and graph, without running it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime as ort

from dasha_ros.files.errors import first_line
from dasha_ros.perception.errors import ModelError
from dasha_ros.perception.models.external_data import check_external_data
from dasha_ros.perception.models.files import ModelFacts, check_file, facts_from


def onnx_facts(path: Path) -> ModelFacts:
    """Read task, size and names from the metadata, or from the graph if there is none.

    Raises:
        ModelError: The file is damaged, is not an ONNX model, or is not a detector.
    """
    check_file(path)
    check_external_data(path)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises a dozen unrelated types
        raise ModelError(
            f"The model {path}: is not an ONNX model, or is damaged ({first_line(error)}): copy or "
            "export it again."
        ) from error
    metadata = session.get_modelmeta().custom_metadata_map
    told = facts_from(path, metadata)
    inputs = [list(i.shape) for i in session.get_inputs()]
    outputs = [list(o.shape) for o in session.get_outputs()]
    if len(inputs) != 1 or len(inputs[0]) != 4:
        raise ModelError(
            f"The model {path}: takes {inputs}, not one picture: give a detector of ultralytics."
        )
    sides = inputs[0][2:]
    size = tuple(sides) if all(isinstance(side, int) for side in sides) else ()
    if told.size and size and told.size != size:
        raise ModelError(
            f"The model {path}: its metadata says pictures of {_by(told.size)} pixels, and its graph takes "
            f"{_by(size)}: export it again."
        )
    # Ultralytics repeats a picture if the metadata says how often.
    if isinstance(batch := inputs[0][0], int) and batch != 1 and metadata.get("batch") != str(batch):
        raise ModelError(
            f"The model {path}: takes {batch} pictures at once, not one: export it again with batch=1."
        )
    task = told.task or _task(outputs)
    classes = _classes(path, outputs) if task == "detect" else None
    names = told.names
    if names is None and classes is not None:
        names = tuple(f"class{number}" for number in range(classes))
    if names is not None and classes is not None and len(names) != classes:
        raise ModelError(names_do_not_fit(path, classes, len(names)))
    return ModelFacts(task, size, names)


def names_do_not_fit(path: Path | str, classes: int, names: int) -> str:
    """The message for a model whose names do not match its classes."""
    return (
        f"The model {path}: the model has {classes} class{'es' * (classes != 1)} and "
        f"{names} name{'s' * (names != 1)}: give it one name for each class, and train or export it again."
    )


def _by(size: tuple[int, ...]) -> str:
    height, width = size
    return f"{width} x {height}"


def _task(outputs: list[list[Any]]) -> str:
    """The task of a model with outputs of this shape; empty if it is unknown."""
    if len(outputs) > 1 and any(len(shape) == 4 for shape in outputs):
        return "segment"
    if len(outputs) == 1 and len(outputs[0]) == 2:
        return "classify"
    return "detect" if len(outputs) == 1 and len(outputs[0]) == 3 else ""


def _classes(path: Path, outputs: list[list[Any]]) -> int | None:
    """Number of classes of an output (1, 4 + classes, boxes); unknown if overlaps are already suppressed."""
    shape = outputs[0] if outputs else []
    if len(shape) != 3 or not isinstance(shape[1], int):
        return None
    if shape[2] == 6:
        return None  # x, y, x, y, score, class: the model suppresses overlaps itself
    if isinstance(shape[2], int) and shape[1] > shape[2] > 6:
        raise ModelError(
            f"The model {path}: was exported by the yolov5 (or yolov7) repository, whose output {shape} is "
            "laid out in another way: give a model that ultralytics exported."
        )
    return shape[1] - 4 if shape[1] > 4 else None
