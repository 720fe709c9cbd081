"""Converts a darknet network (``.cfg`` and ``.weights``) into an ONNX graph.

The format is that of ``parser.c`` of darknet (github pjreddie/darknet): a header
of three int32 and a count of images seen, then for each convolution bias,
batch norm (scale, mean, variance) and weights as float32. Supported are the
layers of YOLOv3-tiny. The image is grey, so the three input channels of the
first convolution are summed into one, and its 1/255 is folded into the weights.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
from numpy.typing import NDArray

from dasha_ros.assets.convert.onnx_graph import GraphBuilder, fold_batch_norm
from dasha_ros.perception.errors import ModelError

_BATCH_NORM_EPSILON = 1e-6
"""Darknet adds it to the deviation instead of the variance; the difference is below float32 precision."""
_LEAKY_SLOPE = 0.1
_INPUT_CHANNELS = 3


@dataclass(slots=True)
class Section:
    """One ``[kind]`` of a configuration file."""

    kind: str
    options: dict[str, str] = field(default_factory=dict)

    def number(self, key: str, default: int | None = None) -> int:
        """A whole number; ``default`` if the key is missing."""
        if key not in self.options:
            if default is None:
                raise ModelError(f"The darknet section [{self.kind}] has no {key}.")
            return default
        return self.numbers(key)[0]

    def numbers(self, key: str) -> list[int]:
        """Whole numbers separated by commas."""
        text = self.options.get(key, "")
        try:
            return [int(part) for part in text.split(",")]
        except ValueError:
            raise ModelError(f"The darknet section [{self.kind}] has {key}={text}, not numbers.") from None


def parse_cfg(text: str) -> list[Section]:
    """Parse the sections of a configuration file; the first is ``[net]``.

    Raises:
        ModelError: The text is not a darknet configuration.
    """
    sections: list[Section] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.split("#", 1)[0].strip()
        if line.startswith("[") and line.endswith("]"):
            sections.append(Section(line[1:-1].strip()))
        elif "=" in line and sections:
            key, value = line.split("=", 1)
            sections[-1].options[key.strip()] = value.strip()
        elif line:
            raise ModelError(
                f"Line {number} of the darknet configuration is neither a section nor key=value."
            )
    if not sections or sections[0].kind not in ("net", "network"):
        raise ModelError("The darknet configuration does not begin with [net].")
    return sections


class _WeightReader:
    """Reads float32 values in the order of the file."""

    def __init__(self, data: bytes) -> None:
        if len(data) < 20:
            raise ModelError("The darknet weights are cut short: even the header is missing.")
        major, minor = np.frombuffer(data, "<i4", 2)
        header = 20 if major * 10 + minor >= 2 else 16
        if (len(data) - header) % 4:
            raise ModelError("The darknet weights are cut short in the middle of a number.")
        self._values = np.frombuffer(data, "<f4", offset=header)
        self._at = 0

    def take(self, *shape: int) -> NDArray[np.float32]:
        count = int(np.prod(shape))
        if self._at + count > self._values.size:
            raise ModelError("The darknet weights end before the configuration does.")
        block = self._values[self._at : self._at + count].reshape(shape)
        self._at += count
        return block

    def finish(self) -> None:
        left = self._values.size - self._at
        if left:
            raise ModelError(f"The darknet weights hold {left} numbers more than the configuration asks for.")


@dataclass(frozen=True, slots=True)
class _Layer:
    output: str
    channels: int
    stride: int
    """Size of a cell [px of the input]."""


class _Converter:
    def __init__(self, weights: bytes, labels: Sequence[str]) -> None:
        self._graph = GraphBuilder("darknet")
        self._weights = _WeightReader(weights)
        self._labels = labels
        self._layers: list[_Layer] = []
        self._heads: list[dict[str, object]] = []

    def convert(self, sections: Sequence[Section]) -> onnx.ModelProto:
        builders = {
            "convolutional": self._convolutional,
            "maxpool": self._maxpool,
            "route": self._route,
            "upsample": self._upsample,
            "yolo": self._yolo,
        }
        image = self._graph.node("Cast", ["image"], to=onnx.TensorProto.FLOAT)
        below = _Layer(image, _INPUT_CHANNELS, 1)
        for section in sections[1:]:
            if section.kind not in builders:
                raise ModelError(f"The darknet layer [{section.kind}] is not supported.")
            below = builders[section.kind](section, below)
            self._layers.append(below)
        self._weights.finish()
        if not self._heads:
            raise ModelError("The darknet configuration has no [yolo] layer.")
        metadata = {"labels": json.dumps(list(self._labels)), "heads": json.dumps(self._heads)}
        return self._graph.build("height", "width", metadata)

    def _convolutional(self, section: Section, below: _Layer) -> _Layer:
        filters, size, stride = section.number("filters"), section.number("size"), section.number("stride")
        bias = self._weights.take(filters)
        if section.number("batch_normalize", 0):
            gamma, mean, variance = (self._weights.take(filters) for _ in range(3))
            kernel = self._weights.take(filters, below.channels, size, size)
            kernel, bias = fold_batch_norm(
                kernel, gamma=gamma, beta=bias, mean=mean, variance=variance, epsilon=_BATCH_NORM_EPSILON
            )
        else:
            kernel = self._weights.take(filters, below.channels, size, size)
        if not self._layers:
            kernel = kernel.sum(axis=1, keepdims=True) / np.float32(255)
        pad = size // 2 if section.number("pad", 0) else 0
        output = self._graph.convolution(below.output, kernel, bias, stride=stride, pads=[pad] * 4)
        activation = section.options.get("activation", "logistic")
        if activation == "leaky":
            output = self._graph.node("LeakyRelu", [output], alpha=_LEAKY_SLOPE)
        elif activation != "linear":
            raise ModelError(f"The darknet activation {activation} is not supported.")
        return _Layer(output, filters, below.stride * stride)

    def _maxpool(self, section: Section, below: _Layer) -> _Layer:
        size, stride = section.number("size"), section.number("stride")
        end = size - stride  # sides are multiples of the stride, so darknet pads only if stride < size
        output = self._graph.node(
            "MaxPool", [below.output], kernel_shape=[size] * 2, strides=[stride] * 2, pads=[0, 0, end, end]
        )
        return _Layer(output, below.channels, below.stride * stride)

    def _route(self, section: Section, below: _Layer) -> _Layer:
        try:
            sources = [self._layers[i] for i in section.numbers("layers")]
        except IndexError:
            raise ModelError("A darknet [route] names a layer that does not exist.") from None
        if len(sources) == 1:
            return sources[0]
        output = self._graph.node("Concat", [s.output for s in sources], axis=1)
        return _Layer(output, sum(s.channels for s in sources), sources[0].stride)

    def _upsample(self, section: Section, below: _Layer) -> _Layer:
        factor = section.number("stride")
        scales = self._graph.weight(
            f"scales_{len(self._layers)}", np.array([1, 1, factor, factor], np.float32)
        )
        output = self._graph.node(
            "Resize",
            [below.output, "", scales],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
        return _Layer(output, below.channels, below.stride // factor)

    def _yolo(self, section: Section, below: _Layer) -> _Layer:
        mask, flat = section.numbers("mask"), section.numbers("anchors")
        anchors = list(zip(flat[::2], flat[1::2], strict=True))
        classes = section.number("classes")
        if classes != len(self._labels):
            raise ModelError(f"The network knows {classes} classes, the list of names {len(self._labels)}.")
        if below.channels != len(mask) * (classes + 5):
            raise ModelError(f"A [yolo] layer stands on {below.channels} channels, not on those it needs.")
        name = f"head_{below.stride}"
        self._graph.output(below.output, name, [1, below.channels, f"rows_{name}", f"columns_{name}"])
        self._heads.append(
            {"output": name, "stride": below.stride, "anchors": [anchors[index] for index in mask]}
        )
        return below


def convert(cfg: str, weights: bytes, labels: Sequence[str]) -> onnx.ModelProto:
    """Convert the network into an ONNX graph with one output of raw values per ``[yolo]`` layer.

    The input may have any size whose sides are multiples of the coarsest stride.
    The file's metadata hold the labels and, for each head, its output, stride and
    anchors (width, height in input pixels) as JSON.

    Args:
        cfg: Text of the ``.cfg`` file.
        weights: Content of the ``.weights`` file.
        labels: Name of each class.

    Raises:
        ModelError: The files do not fit each other or hold layers that are not supported.
    """
    return _Converter(weights, labels).convert(parse_cfg(cfg))
