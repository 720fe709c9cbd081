"""Opens ONNX models the same way everywhere."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from dasha_ros.assets.catalogue import AssetMissing, asset, assets_dir
from dasha_ros.files.errors import first_line
from dasha_ros.files.naming import expanded
from dasha_ros.perception.cores import CoreShare
from dasha_ros.perception.errors import ModelError
from dasha_ros.perception.labels import unfit_label
from dasha_ros.perception.models.external_data import check_external_data
from dasha_ros.perception.models.weights import check_onnx


def model_path(weights: str | Path | None, default: str) -> Path:
    """The given file, or the default asset.

    Raises:
        ModelError: The asset is not on this machine, and the message says how to get it; or the given file
            wants weights from elsewhere.
    """
    if weights:
        path = expanded(weights, ModelError)
        if os.path.isfile(path):
            check_external_data(path)
        return path
    try:
        return asset(default)
    except AssetMissing as error:
        raise ModelError(str(error)) from error


def _providers() -> list[str]:
    """A GPU first, if ONNX Runtime was built for one; it falls back to the CPU by itself."""
    built_for = ort.get_available_providers()
    return [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in built_for]


def _advice(path: Path) -> str:
    """What to do about a file that is not what it should be."""
    with suppress(AssetMissing):  # The folder's own name may be wrong, and this is about a file.
        if path.absolute().is_relative_to(assets_dir().absolute()):
            return "Run the set-up again."
    return (
        "Give an ONNX file (.onnx) made by `python -m dasha_ros.assets.convert`, or leave the weights empty "
        "for the model of the set-up (models of ultralytics need the detector ultralytics)."
    )


class OnnxSession:
    """An ONNX model whose input is one grey 8-bit image."""

    def __init__(self, path: Path, threads: int) -> None:
        """Open a model.

        Args:
            path: An ``.onnx`` file made by `dasha_ros.assets.convert`.
            threads: Threads of each run. They sleep between runs, because other processes need the cores.

        Raises:
            ModelError: The file is missing, corrupt or made for something else.
        """
        check_onnx(path)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.force_spinning_stop", "1")
        options.add_session_config_entry("session.dynamic_block_base", "4")
        self._share = CoreShare(threads)
        if self._share.workers:
            # ONNX Runtime counts cores from 1.
            places = ";".join(str(core + 1) for core in self._share.workers)
            options.add_session_config_entry("session.intra_op_thread_affinities", places)
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(path, options, providers=_providers())
        except Exception as error:  # onnxruntime raises a dozen unrelated types
            raise ModelError(
                f"{path} is not a model that ONNX Runtime can read ({first_line(error)}). {_advice(path)}"
            ) from error
        inputs = self._session.get_inputs()
        if [(i.name, i.type) for i in inputs] != [("image", "tensor(uint8)")]:
            raise ModelError(
                f"{path} is a model of another kind: its inputs are {[i.name for i in inputs]}. "
                f"{_advice(path)}"
            )
        self.path = path
        self._shapes = {output.name: tuple(output.shape) for output in self._session.get_outputs()}
        self._outputs = [output.name for output in self._session.get_outputs()]

    @property
    def metadata(self) -> Mapping[str, str]:
        """The metadata of the file."""
        return dict(self._session.get_modelmeta().custom_metadata_map)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of a detector's classes, from the metadata of the file.

        Raises:
            ModelError: There are none, or a name is no text.
        """
        try:
            names = json.loads(self.metadata["labels"])
        except (KeyError, ValueError):
            names = None
        if not isinstance(names, list) or not names:
            raise ModelError(f"{self.path} names no classes in its metadata. {_advice(self.path)}")
        for number, name in enumerate(names):
            if why := unfit_label(name):
                raise ModelError(
                    f"{self.path}: the name {name!r:.60} of its class {number} {why}. {_advice(self.path)}"
                )
        return tuple(names)

    def check_output(self, name: str, axis: int, per_label: int = 1, extra: int = 0) -> None:
        """Refuse a file whose names of classes don't fit the shape of an output.

        Args:
            name: The output.
            axis: Its axis on which the classes lie.
            per_label: How many numbers each class has there.
            extra: How many numbers there are besides.

        Raises:
            ModelError: There is no such output, or its length there is another.
        """
        shape, count = self._shapes.get(name), len(self.labels)
        if shape is None or len(shape) <= axis:
            raise ModelError(f"{self.path} has no output {name} with classes. {_advice(self.path)}")
        asked, length = per_label * count + extra, shape[axis]
        # An axis without a fixed length has a name.
        if isinstance(length, int) and length != asked:
            raise ModelError(
                f"{self.path} names {count} class{'es' * (count != 1)}, and its output {name} has {length} "
                f"numbers where {asked} are needed for them. {_advice(self.path)}"
            )

    def run(self, image: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Run the model on a grey image H x W of its input size; returns every output by name."""
        with self._share.bound():
            values = self._session.run(self._outputs, {"image": image[None, None]})
        return dict(zip(self._outputs, values, strict=True))
