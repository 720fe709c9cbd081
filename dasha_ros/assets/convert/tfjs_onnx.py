"""Converts a graph model of TensorFlow.js into an ONNX graph for a grey image, without TensorFlow.

TensorFlow keeps channels last, ONNX first: every convolution, pooling and resizing gets a transposition
before and after it, and two transpositions that undo each other are left out. What depends on constants
alone is computed here. Operators: those of the NanoDet and CenterNet that `dasha_ros.assets.convert` knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from dasha_ros.assets.convert.onnx_graph import GraphBuilder
from dasha_ros.assets.convert.tfjs_graph import Node, TfjsGraph
from dasha_ros.perception.errors import ModelError


def _sparse(
    at: NDArray[Any], shape: NDArray[Any], values: NDArray[Any], default: NDArray[Any]
) -> NDArray[Any]:
    """TensorFlow's SparseToDense."""
    dense = np.full(shape.ravel().tolist(), default, dtype=np.asarray(values).dtype)
    dense[tuple(np.asarray(at).reshape(-1, dense.ndim).T)] = values
    return dense


_TO_FIRST, _TO_LAST = (0, 3, 1, 2), (0, 2, 3, 1)
"""Orders of axes that move the channels from last to first, and back."""
_ALIKE = {
    "Add": "Add", "AddV2": "Add", "Sub": "Sub", "Mul": "Mul", "Relu": "Relu", "Sigmoid": "Sigmoid",
    "Identity": "Identity",
}  # fmt: skip
"""Operators that mean the same in TensorFlow and ONNX."""
_FOLDED: Mapping[str, Callable[..., NDArray[Any]]] = {
    "AddV2": np.add,
    "Add": np.add,
    "Mul": np.multiply,
    "SparseToDense": _sparse,
}
"""Operators that are computed where all their inputs are constants."""


def convert(
    graph: TfjsGraph,
    *,
    size: int,
    outputs: Mapping[str, tuple[str, Sequence[int]]],
    metadata: Mapping[str, str],
    mean: Sequence[float] = (0.0, 0.0, 0.0),
    deviation: Sequence[float] = (1.0, 1.0, 1.0),
    channels_first: bool = False,
) -> onnx.ModelProto:
    """Convert a network with one picture as input.

    Args:
        graph: The network.
        size: Height and width of its input [px].
        outputs: Name and shape in the new model of each node to publish. What no output needs is left out.
        metadata: Stored in the file.
        mean: Subtracted from the grey value 0..255 for each of the three channels.
        deviation: Divided by after that.
        channels_first: Whether the network's input is 1 x 3 x size x size; else 1 x size x size x 3.

    Raises:
        ModelError: The network holds an operator that is not supported, or an output that it does not have.
    """
    converter = _Converter(graph)
    converter.picture(mean, deviation, channels_first)
    for source, (name, shape) in outputs.items():
        converter.builder.output(converter.value(source), name, shape)
    try:
        model = converter.builder.build(size, size, metadata)
        onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ModelError(f"The TensorFlow.js network does not fit together: {error}") from error
    return model


class _Converter:
    """Makes the nodes that an output needs, each once."""

    def __init__(self, graph: TfjsGraph) -> None:
        self.builder = GraphBuilder("tfjs")
        self._graph = graph
        self._values: dict[str, str] = {}
        """Name in the new graph by name in the old one."""
        self._turned: dict[str, tuple[str, tuple[int, ...]]] = {}
        """Source and order of axes of each transposition."""
        self._special: Mapping[str, Callable[[Node], str]] = {
            "Conv2D": self._convolution,
            "_FusedConv2D": self._convolution,
            "DepthwiseConv2dNative": self._convolution,
            "FusedDepthwiseConv2dNative": self._convolution,
            "MaxPool": self._pooling,
            "ResizeBilinear": self._resizing,
            "Pad": self._padding,
            "PadV2": self._padding,
            "Mean": self._mean,
            "Transpose": lambda node: self._transposed(self._input(node, 0), self._whole(node, 1)),
            "Reshape": self._reshaping,
            "ConcatV2": self._joining,
            "SplitV": lambda node: self._part(node, 0),
            "LeakyRelu": lambda node: self.builder.node(
                "LeakyRelu", [self._input(node, 0)], alpha=node.real("alpha")
            ),
            "Relu6": lambda node: self._relu6(self._input(node, 0)),
        }

    def picture(self, mean: Sequence[float], deviation: Sequence[float], channels_first: bool) -> None:
        """Stand the grey image in for the input: three equal channels, scaled."""
        names = [node.name for node in self._graph.nodes.values() if node.op == "Placeholder"]
        if len(names) != 1:
            raise ModelError(f"The TensorFlow.js network has {len(names)} inputs, not one picture.")
        value = self.builder.node("Cast", ["image"], to=onnx.TensorProto.FLOAT)
        for op, numbers in (("Sub", mean), ("Div", deviation)):
            by = self._constant(np.array(numbers, np.float32).reshape(1, 3, 1, 1))
            value = self.builder.node(op, [value, by])
        self._values[names[0]] = value if channels_first else self._transposed(value, _TO_LAST)

    def value(self, name: str) -> str:
        """The new graph's name of an output of a node; makes the node and all that it needs."""
        if name not in self._values:
            # A stack of its own instead of recursion: networks are deeper than Python's limit allows.
            waiting = [name]
            while waiting:
                need = [n for n in self._needs(waiting[-1]) if n not in self._values]
                if need:
                    waiting += need
                else:
                    done = waiting.pop()
                    if done not in self._values:
                        self._values[done] = self._made(done)
        return self._values[name]

    def _needs(self, name: str) -> Sequence[str]:
        if self._known(name) is not None:
            return ()
        # Constants are stored where they are used, in the form that is needed there.
        return [source for source in self._node(name).inputs if self._known(source) is None]

    def _node(self, name: str) -> Node:
        node = self._graph.nodes.get(name.partition(":")[0])
        if node is None:
            raise ModelError(f"The TensorFlow.js network has no node {name}.")
        return node

    def _made(self, name: str) -> str:
        if self._known(name) is not None:
            return self._stored(name)
        node, (_, _, output) = self._node(name), name.partition(":")
        if output and int(output):
            if node.op != "SplitV":
                raise ModelError(f"{node.name} ({node.op}) of the TensorFlow.js network has one output only.")
            return self._part(node, int(output))
        if node.op in _ALIKE:
            return self.builder.node(_ALIKE[node.op], [self._stored(source) for source in node.inputs])
        if node.op not in self._special:
            raise ModelError(f"The TensorFlow.js operator {node.op} ({node.name}) is not supported.")
        return self._special[node.op](node)

    def _known(self, name: str) -> NDArray[Any] | None:
        """The value of what depends on constants alone; ``None`` for the rest."""
        node = self._node(name)
        if node.op == "Const":
            if node.name not in self._graph.constants:
                raise ModelError(f"The weights of the TensorFlow.js network lack {node.name}.")
            return self._graph.constants[node.name]
        if node.op not in _FOLDED:
            return None
        known = [self._known(source) for source in node.inputs]
        return None if any(value is None for value in known) else _FOLDED[node.op](*known)

    def _input(self, node: Node, index: int) -> str:
        return self._stored(node.inputs[index])

    def _stored(self, name: str) -> str:
        """The new graph's name of a value that is there, or of a constant, which is stored now."""
        if name not in self._values and (known := self._known(name)) is not None:
            self._values[name] = self._constant(known)
        return self._values[name]

    def _fixed(self, node: Node, index: int) -> NDArray[Any]:
        known = self._known(node.inputs[index])
        if known is None:
            raise ModelError(f"{node.name} ({node.op}) needs a constant as input {index}.")
        return known

    def _whole(self, node: Node, index: int) -> tuple[int, ...]:
        return tuple(int(number) for number in self._fixed(node, index).ravel())

    def _constant(self, value: NDArray[Any]) -> str:
        return self.builder.weight(f"constant_{self.builder.weights}", value)

    def _integers(self, numbers: Sequence[int]) -> str:
        return self._constant(np.array(numbers, np.int64))

    def _transposed(self, source: str, order: Sequence[int]) -> str:
        below, inner = self._turned.get(source, (source, tuple(range(len(order)))))
        whole = tuple(inner[axis] for axis in order)
        if whole == tuple(range(len(whole))):
            return below
        turned = self.builder.node("Transpose", [below], perm=list(whole))
        self._turned[turned] = (below, whole)
        return turned

    def _channels_last(self, node: Node, op: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add an operator that wants its picture with channels first."""
        if node.text("data_format") not in ("", "NHWC"):
            raise ModelError(f"{node.name} ({node.op}) has its channels first: not supported.")
        return self._transposed(
            self.builder.node(op, [self._transposed(inputs[0], _TO_FIRST), *inputs[1:]], **attributes),
            _TO_LAST,
        )

    def _convolution(self, node: Node) -> str:
        weight: NDArray[Any] = self._fixed(node, 1)
        kernel: NDArray[Any]
        height, width, entering, leaving = weight.shape
        groups = 1
        if "Depthwise" in node.op:
            groups = entering
            kernel = weight.transpose(2, 3, 0, 1).reshape(entering * leaving, 1, height, width)
        else:
            kernel = weight.transpose(3, 2, 0, 1)
        inputs = [self._input(node, 0), self._constant(kernel)]
        fused = node.texts("fused_ops")
        if "BiasAdd" in fused:
            inputs.append(self._constant(self._fixed(node, 2)))
        value = self._channels_last(
            node, "Conv", inputs, kernel_shape=[height, width], group=groups,
            strides=node.numbers("strides")[1:3], dilations=node.numbers("dilations")[1:3] or [1, 1],
            auto_pad=_padded(node),
        )  # fmt: skip
        for op in fused:
            if op == "Relu6":
                value = self._relu6(value)
            elif op == "Relu":
                value = self.builder.node("Relu", [value])
            elif op != "BiasAdd":
                raise ModelError(f"{node.name} ({node.op}) ends in {op}: not supported.")
        return value

    def _pooling(self, node: Node) -> str:
        return self._channels_last(
            node, "MaxPool", [self._input(node, 0)], kernel_shape=node.numbers("ksize")[1:3],
            strides=node.numbers("strides")[1:3], auto_pad=_padded(node),
        )  # fmt: skip

    def _resizing(self, node: Node) -> str:
        if node.flag("align_corners"):
            raise ModelError(f"{node.name} ({node.op}) aligns corners: not supported.")
        source = self._transposed(self._input(node, 0), _TO_FIRST)
        kept = self.builder.node("Shape", [source], start=0, end=2)
        sizes = self.builder.node("Concat", [kept, self._integers(self._whole(node, 1))], axis=0)
        mode = "half_pixel" if node.flag("half_pixel_centers") else "asymmetric"
        resized = self.builder.node(
            "Resize", [source, "", "", sizes], mode="linear", coordinate_transformation_mode=mode
        )
        return self._transposed(resized, _TO_LAST)

    def _padding(self, node: Node) -> str:
        pads = self._integers(self._fixed(node, 1).T.ravel().tolist())
        filled = [self._constant(self._fixed(node, 2).reshape(()))] if len(node.inputs) > 2 else []
        return self.builder.node("Pad", [self._input(node, 0), pads, *filled])

    def _mean(self, node: Node) -> str:
        axes, keep = list(self._whole(node, 1)), int(node.flag("keep_dims"))
        return self.builder.node("ReduceMean", [self._input(node, 0)], axes=axes, keepdims=keep)

    def _reshaping(self, node: Node) -> str:
        return self.builder.node("Reshape", [self._input(node, 0), self._integers(self._whole(node, 1))])

    def _joining(self, node: Node) -> str:
        (axis,) = self._whole(node, len(node.inputs) - 1)
        return self.builder.node("Concat", [self._stored(source) for source in node.inputs[:-1]], axis=axis)

    def _part(self, node: Node, index: int) -> str:
        sizes, (axis,) = self._whole(node, 1), self._whole(node, 2)
        begin = sum(sizes[:index])
        limits = [self._integers([number]) for number in (begin, begin + sizes[index], axis)]
        return self.builder.node("Slice", [self._input(node, 0), *limits])

    def _relu6(self, source: str) -> str:
        limits = [self._constant(np.array(limit, np.float32)) for limit in (0.0, 6.0)]
        return self.builder.node("Clip", [source, *limits])


def _padded(node: Node) -> str:
    """How ONNX names TensorFlow's padding; ``SAME`` puts the odd row at the end."""
    names = {"SAME": "SAME_UPPER", "VALID": "VALID"}
    if (padding := node.text("padding")) not in names:
        raise ModelError(f"{node.name} ({node.op}) has the padding {padding}: not supported.")
    return names[padding]
