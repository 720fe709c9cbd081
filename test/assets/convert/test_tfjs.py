"""Graph models of TensorFlow.js, against the operators' definitions written down in NumPy."""

from __future__ import annotations

import base64
import json

import numpy as np
import onnxruntime
import pytest

from dasha_ros.assets.convert.tfjs_graph import read_graph
from dasha_ros.assets.convert.tfjs_onnx import convert
from dasha_ros.perception.errors import ModelError

SIDE = 9
"""Odd, so that the padding of strides is not the same on both sides."""


def text(value):
    return {"s": base64.b64encode(value.encode()).decode()}


def numbers(*values):
    return {"list": {"i": [str(value) for value in values]}}


class Network:
    """Writes the two files of a graph model."""

    def __init__(self) -> None:
        self.nodes = [{"name": "picture", "op": "Placeholder"}]
        self.listed, self.weights = [], b""

    def constant(self, name, value, stored=None):
        self.nodes.append({"name": name, "op": "Const"})
        entry = {"name": name, "shape": list(value.shape), "dtype": value.dtype.name}
        if stored:
            entry["quantization"] = {"dtype": stored}
        self.listed.append(entry)
        self.weights += value.astype(stored or value.dtype).tobytes()
        return name

    def node(self, op, *inputs, **attributes):
        name = f"node/{len(self.nodes)}"
        self.nodes.append({"name": name, "op": op, "input": list(inputs), "attr": attributes})
        return name

    def files(self):
        document = {
            "format": "graph-model",
            "modelTopology": {"node": self.nodes},
            "weightsManifest": [{"paths": ["x.bin"], "weights": self.listed}],
        }
        return json.dumps(document).encode(), self.weights

    def run(self, source, shape, image, **options):
        outputs = {source: ("out", shape)}
        model = convert(
            read_graph(*self.files()), size=len(image), outputs=outputs, metadata={"a": "b"}, **options
        )
        session = onnxruntime.InferenceSession(model.SerializeToString())
        return session.run(["out"], {"image": image[None, None]})[0]


@pytest.fixture
def rng():
    return np.random.default_rng(4)


@pytest.fixture
def image(rng):
    return rng.integers(0, 256, (SIDE, SIDE), dtype=np.uint8)


def channels(image):
    return np.repeat(image[..., None], 3, axis=2).astype(np.float32)


def windows(x, size, stride, empty=0.0):
    """Windows of TensorFlow's padding SAME: rows x columns x size x size x channels."""
    count = -(-len(x) // stride)
    pad = max((count - 1) * stride + size - len(x), 0)
    before = pad // 2
    wide = np.pad(x, ((before, pad - before), (before, pad - before), (0, 0)), constant_values=empty)
    return np.array(
        [
            [wide[i * stride : i * stride + size, j * stride : j * stride + size] for j in range(count)]
            for i in range(count)
        ]
    )


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("size", "last"), [(3, "Relu"), (2, "Relu6"), (1, None)])
def test_convolution_pads_as_tensorflow_does(rng, image, stride, size, last):
    kernel = rng.normal(size=(size, size, 3, 5)).astype(np.float32) / 99
    bias = rng.normal(size=5).astype(np.float32)
    net = Network()
    fused = {"list": {"s": [text(word)["s"] for word in ("BiasAdd", last) if word]}}
    out = net.node(
        "_FusedConv2D", "picture", net.constant("k", kernel), net.constant("b", bias), fused_ops=fused,
        strides=numbers(1, stride, stride, 1), padding=text("SAME"), data_format=text("NHWC"),
    )  # fmt: skip
    expected = np.einsum("ijabc,abcd->ijd", windows(channels(image), size, stride), kernel) + bias
    limit = {"Relu": (0, np.inf), "Relu6": (0, 6), None: (-np.inf, np.inf)}[last]
    found = net.run(out, (1, *expected.shape), image)[0]
    np.testing.assert_allclose(found, expected.clip(*limit), rtol=1e-4, atol=1e-4)


def test_depthwise_convolution_keeps_channels_apart(rng, image):
    kernel = rng.normal(size=(3, 3, 3, 2)).astype(np.float32)
    net = Network()
    out = net.node(
        "DepthwiseConv2dNative", "picture", net.constant("k", kernel),
        strides=numbers(1, 2, 2, 1), padding=text("SAME"),
    )  # fmt: skip
    expected = np.einsum("ijabc,abcm->ijcm", windows(channels(image), 3, 2), kernel).reshape(5, 5, 6)
    np.testing.assert_allclose(net.run(out, (1, 5, 5, 6), image)[0], expected, rtol=1e-4, atol=1e-2)


def test_pooling_ignores_what_lies_outside(image):
    net = Network()
    sunk = net.node("Add", "picture", net.constant("c", np.float32([-300])))  # so that a zero would win
    out = net.node(
        "MaxPool", sunk, ksize=numbers(1, 3, 3, 1), strides=numbers(1, 2, 2, 1), padding=text("SAME")
    )
    expected = windows(channels(image) - 300, 3, 2, -np.inf).max(axis=(2, 3))
    np.testing.assert_array_equal(net.run(out, (1, 5, 5, 3), image)[0], expected)


def along(x, target, half):
    """Linear interpolation of the first axis, as TensorFlow's kernel does it."""
    at = np.arange(target, dtype=np.float64)
    scale = len(x) / target
    at = ((at + 0.5) * scale - 0.5 if half else at * scale).clip(0, len(x) - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, len(x) - 1)
    part = (at - low)[:, None, None]
    return x[low] * (1 - part) + x[high] * part


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("target", [4, 18])
def test_resizing_places_pixels_as_tensorflow_does(image, half, target):
    net = Network()
    sizes = net.constant("sizes", np.int32([target, target]))
    out = net.node("ResizeBilinear", "picture", sizes, half_pixel_centers={"b": half})
    expected = along(along(channels(image), target, half).swapaxes(0, 1), target, half).swapaxes(0, 1)
    np.testing.assert_allclose(net.run(out, (1, target, target, 3), image)[0], expected, atol=1e-2)


def test_scaled_channels_first_in_parts(rng, image):
    mean, deviation = (10.0, 20.0, 30.0), (2.0, 4.0, 5.0)
    net = Network()
    axis = net.constant("axis", np.int32(1))
    split = net.node("SplitV", "picture", net.constant("sizes", np.int32([1, 2])), axis)
    joined = net.node("ConcatV2", f"{split}:1", split, axis)
    padded = net.node("Pad", joined, net.constant("pads", np.int32([[0, 0], [0, 0], [1, 0], [0, 2]])))
    last = net.node("Transpose", padded, net.constant("order", np.int32([0, 2, 3, 1])))
    out = net.node("LeakyRelu", last, alpha={"f": 0.25})
    found = net.run(
        out, (1, SIDE + 1, SIDE + 2, 3), image, mean=mean, deviation=deviation, channels_first=True
    )
    scaled = (channels(image) - mean) / np.array(deviation)
    expected = np.pad(scaled[..., [1, 2, 0]], ((1, 0), (0, 2), (0, 0)))
    np.testing.assert_allclose(found[0], np.where(expected < 0, 0.25 * expected, expected), rtol=1e-5)


def test_shapes_are_computed_and_halves_are_read(image):
    net = Network()
    at, shape = net.constant("at", np.int32([[1]])), net.constant("shape", np.int32([3]))
    sparse = net.node(
        "SparseToDense", at, shape, net.constant("v", np.int32([-2])), net.constant("d", np.int32(0))
    )
    target = net.node("AddV2", sparse, net.constant("rest", np.int32([SIDE, 1, 3])))  # 9, -1, 3
    scale = net.constant("scale", np.float32([[0.5, 2.0, 1 / 3]]), stored="float16")
    out = net.node("Reshape", net.node("Mul", "picture", scale), target)
    expected = channels(image) * np.float16([0.5, 2.0, 1 / 3]).astype(np.float32)
    np.testing.assert_array_equal(net.run(out, (SIDE, SIDE, 3), image), expected)


def test_unused_nodes_are_left_out(image):
    net = Network()
    net.node("Gelu", "picture")
    out = net.node("Identity", "picture")
    np.testing.assert_array_equal(net.run(out, (1, SIDE, SIDE, 3), image)[0], channels(image))


def spoilt(change):
    net = Network()
    kernel = net.constant("k", np.ones((1, 1, 3, 1), np.float32))
    net.node("Conv2D", "picture", kernel, strides=numbers(1, 1, 1, 1), padding=text("SAME"))
    document, weights = json.loads(net.files()[0]), net.files()[1]
    return change(document, weights) or (document, weights)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d, w: (d, w[:-1]), "end before the model.json"),
        (lambda d, w: (d, w + b"12"), "2 bytes more"),
        (lambda d, w: d.pop("weightsManifest") and None, "not a graph model"),
        (lambda d, w: ([], w), "not a graph model"),
        (lambda d, w: d["modelTopology"]["node"][2].update(op="Erf"), r"operator Erf \(node/2\)"),
        (lambda d, w: d["modelTopology"]["node"][2].update(input=["picture", "x"]), "has no node x"),
        (lambda d, w: d["modelTopology"]["node"][2].update(name="other"), "has no node node/2"),
        (lambda d, w: d["modelTopology"]["node"].pop(0) and None, "has 0 inputs"),
        (lambda d, w: d["modelTopology"]["node"][2]["attr"].update(padding=text("FULL")), "padding FULL"),
        (
            lambda d, w: d["modelTopology"]["node"][2]["attr"].update(data_format=text("NCHW")),
            "channels first",
        ),
        (lambda d, w: d["modelTopology"]["node"][2]["attr"].update(padding={"s": "?"}), "no text in base64"),
        (lambda d, w: d["weightsManifest"][0]["weights"][0].update(dtype="complex64"), "type complex64"),
        (lambda d, w: d["weightsManifest"][0]["weights"][0].update(shape=[1, 1, 1, 3]), "does not fit"),
    ],
)
def test_files_that_do_not_fit_are_explained(change, words):
    document, weights = spoilt(change)
    with pytest.raises(ModelError, match=words):
        convert(
            read_graph(json.dumps(document).encode(), weights),
            size=SIDE,
            outputs={"node/2": ("out", (1, SIDE, SIDE, 1))},
            metadata={},
        )
