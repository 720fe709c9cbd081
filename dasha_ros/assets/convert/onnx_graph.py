"""A thin builder for ONNX graphs, so that converters read like the networks that they build."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8
"""Old on purpose: every ONNX Runtime since 1.14 reads it."""


class GraphBuilder:
    """Collects nodes and weights, then makes a checked model with one grey 8-bit image as input."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    @property
    def weights(self) -> int:
        """How many constant tensors are stored."""
        return len(self._weights)

    def weight(self, name: str, value: NDArray[Any]) -> str:
        """Store a constant tensor and return its name."""
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, op: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add an operator with one output and return the name of that output."""
        output = f"{op.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(op, list(inputs), [output], **attributes))
        return output

    def convolution(
        self,
        source: str,
        weight: NDArray[np.float32],
        bias: NDArray[np.float32],
        *,
        stride: int,
        pads: Sequence[int],
        groups: int = 1,
    ) -> str:
        """Add a square convolution.

        Args:
            source: Name of the input, N x C x H x W.
            weight: Out x in/groups x k x k.
            bias: One value per output channel.
            stride: The same in both directions.
            pads: Zeros at top, left, bottom, right.
            groups: As many as channels for a depth-wise convolution.
        """
        prefix = f"conv_{len(self._nodes)}"
        inputs = [source, self.weight(f"{prefix}_w", weight), self.weight(f"{prefix}_b", bias)]
        return self.node(
            "Conv", inputs, kernel_shape=weight.shape[2:], strides=[stride] * 2, pads=list(pads), group=groups
        )

    def output(self, source: str, name: str, shape: Sequence[int | str]) -> None:
        """Publish a tensor as an output of the model."""
        self._nodes.append(helper.make_node("Identity", [source], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)))

    def build(self, height: int | str, width: int | str, metadata: Mapping[str, str]) -> onnx.ModelProto:
        """Make the model; its input is ``image``, 1 x 1 x height x width, uint8.

        Args:
            height: In pixels, or a name for any height.
            width: In pixels, or a name for any width.
            metadata: Stored in the file, so that it describes itself.
        """
        image = helper.make_tensor_value_info("image", TensorProto.UINT8, [1, 1, height, width])
        graph = helper.make_graph(self._nodes, self._name, [image], self._outputs, self._weights)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="dasha_ros",
        )
        helper.set_model_props(model, dict(metadata))
        onnx.checker.check_model(model)
        return model


def fold_batch_norm(
    weight: NDArray[np.float32],
    *,
    gamma: NDArray[np.float32],
    beta: NDArray[np.float32],
    mean: NDArray[np.float32],
    variance: NDArray[np.float32],
    epsilon: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weight and bias of the convolution that equals a convolution and its batch norm.

    Computed in float64 and rounded once.
    """
    scale = gamma.astype(np.float64) / np.sqrt(variance.astype(np.float64) + epsilon)
    folded = weight * scale[:, None, None, None]
    bias = beta - mean * scale
    return folded.astype(np.float32), bias.astype(np.float32)
