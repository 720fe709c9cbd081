"""Converts the PyTorch weights of EfficientNet-Lite0 into ONNX graphs.

Architecture: the EfficientNet-Lite0 of Google's TPU repository as written in the
package ``efficientnet-lite-pytorch`` 0.1.0 (Apache-2.0): MBConv blocks without
squeeze-and-excitation, ReLU6, TensorFlow's SAME padding, input (x/255-0.5)/0.5.
The image is grey, so the three input channels of the stem are summed into one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from dasha_ros.assets.convert.onnx_graph import GraphBuilder, fold_batch_norm
from dasha_ros.perception.errors import ModelError

_BATCH_NORM_EPSILON = 1e-3
_STEM_CHANNELS = 32
_HEAD_CHANNELS = 1280
_EARLY_STAGES = 3
INPUT_SIZE = 224
"""Pixels; the size that the network was trained at."""


@dataclass(frozen=True, slots=True)
class _Stage:
    repeats: int
    kernel: int
    stride: int
    expand: int
    channels: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)
EARLY_DIM = 2 * (_STEM_CHANNELS + sum(stage.channels for stage in _STAGES[:_EARLY_STAGES]))
"""224: mean and deviation of each channel of the stem and of the first three stages."""
GRID_ROWS, GRID_COLUMNS = 4, 7
"""Cells of the grid; they have whole columns of the coarsest early layer at `GRID_WIDTH` pixels."""
GRID_WIDTH = 448
"""In pixels."""
_STRIDES = (2, 2, 4, 8)
"""Strides of the stem and of the first three stages."""


class _Network:
    """Writes the layers of the network into a graph."""

    def __init__(self, name: str, tensors: Mapping[str, NDArray[Any]]) -> None:
        self.graph = GraphBuilder(name)
        self._tensors = tensors

    def conv(
        self,
        source: str,
        conv: str,
        norm: str,
        *,
        stride: int = 1,
        depthwise: bool = False,
        relu: bool = True,
    ) -> str:
        weight, bias = fold_batch_norm(
            self._tensors[f"{conv}.weight"],
            gamma=self._tensors[f"{norm}.weight"],
            beta=self._tensors[f"{norm}.bias"],
            mean=self._tensors[f"{norm}.running_mean"],
            variance=self._tensors[f"{norm}.running_var"],
            epsilon=_BATCH_NORM_EPSILON,
        )
        if conv == "_conv_stem":
            weight = weight.sum(axis=1, keepdims=True)
        total = max(weight.shape[2] - stride, 0)
        before = total // 2
        pads = [before, before, total - before, total - before]
        groups = len(weight) if depthwise else 1
        out = self.graph.convolution(source, weight, bias, stride=stride, pads=pads, groups=groups)
        return self._relu6(out) if relu else out

    def _relu6(self, source: str) -> str:
        return self.graph.node("Clip", [source, "zero", "six"])

    def stem(self) -> str:
        """The first layer, from a grey image of 0..255."""
        for name, value in (("zero", 0.0), ("six", 6.0), ("scale", 2 / 255), ("offset", 1.0)):
            self.graph.weight(name, np.array(value, np.float32))
        floats = self.graph.node("Cast", ["image"], to=onnx.TensorProto.FLOAT)
        scaled = self.graph.node("Sub", [self.graph.node("Mul", [floats, "scale"]), "offset"])
        return self.conv(scaled, "_conv_stem", "_bn0", stride=2)

    def stages(self, source: str, count: int = len(_STAGES)) -> list[str]:
        """The outputs of the first ``count`` stages."""
        outputs, block, channels = [], 0, _STEM_CHANNELS
        for stage in _STAGES[:count]:
            for repeat in range(stage.repeats):
                stride = stage.stride if repeat == 0 else 1
                skip = stride == 1 and channels == stage.channels
                source = self._block(source, f"_blocks.{block}", stride, stage.expand, skip)
                block, channels = block + 1, stage.channels
            outputs.append(source)
        return outputs

    def _block(self, source: str, block: str, stride: int, expand: int, skip: bool) -> str:
        x = source
        if expand != 1:
            x = self.conv(x, f"{block}._expand_conv", f"{block}._bn0")
        x = self.conv(x, f"{block}._depthwise_conv", f"{block}._bn1", stride=stride, depthwise=True)
        x = self.conv(x, f"{block}._project_conv", f"{block}._bn2", relu=False)
        return self.graph.node("Add", [x, source]) if skip else x


def build(tensors: Mapping[str, NDArray[Any]]) -> onnx.ModelProto:
    """The last layer before the classifier: 1280 numbers from a 224 x 224 image.

    Raises:
        ModelError: The tensors are not those of EfficientNet-Lite0.
    """
    try:
        network = _Network("efficientnet_lite0", tensors)
        last = network.stages(network.stem())[-1]
        head = network.conv(last, "_conv_head", "_bn1")
        pooled = network.graph.node("GlobalAveragePool", [head])
        network.graph.output(network.graph.node("Flatten", [pooled]), "latent", [1, _HEAD_CHANNELS])
        return network.graph.build(INPUT_SIZE, INPUT_SIZE, {"encoder": "efficientnet_lite0"})
    except (KeyError, ValueError, IndexError, TypeError, AttributeError) as error:
        raise _wrong_tensors(error) from error


def build_early(tensors: Mapping[str, NDArray[Any]]) -> onnx.ModelProto:
    """Mean and deviation of each channel of the stem and stages 1 to 3: 224 numbers, which still show blur.

    The image may have any size whose sides are multiples of 32, so that SAME padding is the same at each of
    the five halvings. All means come first, then all deviations.

    Raises:
        ModelError: The tensors are not those of EfficientNet-Lite0.
    """
    try:
        network = _Network("efficientnet_lite0_early", tensors)
        graph = network.graph
        stem = network.stem()
        means, deviations = [], []
        for layer in (stem, *network.stages(stem, _EARLY_STAGES)):
            mean, deviation = _statistics(graph, layer, [2, 3])
            means.append(mean)
            deviations.append(deviation)
        joined = graph.node("Concat", [*means, *deviations], axis=1)
        graph.output(graph.node("Flatten", [joined]), "latent", [1, EARLY_DIM])
        return graph.build("height", "width", {"encoder": "efficientnet_lite0_early"})
    except (KeyError, ValueError, IndexError, TypeError, AttributeError) as error:
        raise _wrong_tensors(error) from error


def build_grid(tensors: Mapping[str, NDArray[Any]]) -> onnx.ModelProto:
    """The statistics of `build_early` in each of 4 x 7 cells of the image: 6272 numbers with positions.

    The image is 448 pixels wide, and its height is a multiple of 32. The cells are in row order; each has
    all means first, then all deviations.

    Raises:
        ModelError: The tensors are not those of EfficientNet-Lite0.
    """
    try:
        network = _Network("efficientnet_lite0_grid", tensors)
        graph = network.graph
        stem = network.stem()
        layers = (stem, *network.stages(stem, _EARLY_STAGES))
        channels = (_STEM_CHANNELS, *(stage.channels for stage in _STAGES[:_EARLY_STAGES]))
        means, deviations = [], []
        for layer, count, stride in zip(layers, channels, _STRIDES, strict=True):
            cells = np.array([1, count, GRID_ROWS, -1, GRID_COLUMNS, GRID_WIDTH // stride // GRID_COLUMNS])
            shape = graph.weight(f"cells_{layer}", cells)
            split = graph.node("Reshape", [layer, shape])
            mean, deviation = _cell_statistics(graph, split)
            means.append(mean)
            deviations.append(deviation)
        joined = graph.node("Concat", [*means, *deviations], axis=1)
        by_cell = graph.node("Transpose", [joined], perm=[0, 2, 4, 1, 3, 5])
        size = GRID_ROWS * GRID_COLUMNS * EARLY_DIM
        graph.output(graph.node("Flatten", [by_cell]), "latent", [1, size])
        return graph.build("height", GRID_WIDTH, {"encoder": "efficientnet_lite0_grid"})
    except (KeyError, ValueError, IndexError, TypeError, AttributeError) as error:
        raise _wrong_tensors(error) from error


def _statistics(graph: GraphBuilder, source: str, axes: list[int]) -> tuple[str, str]:
    """Mean and deviation of a tensor over some axes."""
    mean, variance = _moments(graph, source, axes)
    return mean, graph.node("Sqrt", [variance])


def _cell_statistics(graph: GraphBuilder, split: str) -> tuple[str, str]:
    """Mean and deviation of each cell: over axis 5, its columns, then over axis 3, its rows.

    That is the law of total variance. Over both axes at once, ONNX Runtime takes a sixth more time for the
    whole network, because they do not lie beside each other.
    """
    of_rows, within_rows = _moments(graph, split, [5])
    mean, between_rows = _moments(graph, of_rows, [3])
    within = graph.node("ReduceMean", [within_rows], axes=[3], keepdims=1)
    return mean, graph.node("Sqrt", [graph.node("Add", [within, between_rows])])


def _moments(graph: GraphBuilder, source: str, axes: list[int]) -> tuple[str, str]:
    """Mean and variance of a tensor over some axes."""
    mean = graph.node("ReduceMean", [source], axes=axes, keepdims=1)
    centred = graph.node("Sub", [source, mean])
    square = graph.node("Mul", [centred, centred])
    return mean, graph.node("ReduceMean", [square], axes=axes, keepdims=1)


def _wrong_tensors(error: Exception) -> ModelError:
    return ModelError(f"These tensors are not those of EfficientNet-Lite0 ({error!r}). Fetch the file again.")
