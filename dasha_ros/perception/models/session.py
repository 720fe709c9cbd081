"""Opens ONNX models the same way everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from dasha_ros.assets.catalogue import AssetMissing, asset
from dasha_ros.perception.cores import CoreShare
from dasha_ros.perception.errors import ModelError
from dasha_ros.perception.models.external_data import check_external_data
from dasha_ros.perception.models.weights import check_onnx


def model_path(weights: str | Path | None, default: str) -> Path:
    """The given file, or the default asset.

    Raises:
        ModelError: The asset is not on this machine, and the message says how to get it; or the given file
            wants weights from elsewhere.
    """
    if weights:
        path = Path(weights).expanduser()
        if path.is_file():
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
                f"{path} is not a model that ONNX Runtime can read. Run the set-up again. ({error})"
            ) from error
        inputs = self._session.get_inputs()
        if [(i.name, i.type) for i in inputs] != [("image", "tensor(uint8)")]:
            raise ModelError(
                f"{path} is a model of another kind: its inputs are {[i.name for i in inputs]}. "
                "Give a file made by `python -m dasha_ros.assets.convert`."
            )
        self.path = path
        self._outputs = [output.name for output in self._session.get_outputs()]

    @property
    def metadata(self) -> Mapping[str, str]:
        """The metadata of the file."""
        return dict(self._session.get_modelmeta().custom_metadata_map)

    def run(self, image: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Run the model on a grey image H x W of its input size; returns every output by name."""
        with self._share.bound():
            values = self._session.run(self._outputs, {"image": image[None, None]})
        return dict(zip(self._outputs, values, strict=True))
