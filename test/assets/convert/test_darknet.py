from __future__ import annotations

import json

import numpy as np
import onnxruntime
import pytest

from dasha_ros.assets.convert.darknet import convert, parse_cfg
from dasha_ros.perception.errors import ModelError

CFG = """
[net]
width=8   # the input may have another size
height=8

[convolutional]
batch_normalize=1
filters=4
size=3
stride=1
pad=1
activation=leaky

[maxpool]
size=2
stride=2

[convolutional]
filters=6
size=1
stride=1
pad=1
activation=leaky

[maxpool]
size=2
stride=2

[maxpool]
size=2
stride=1

[convolutional]
batch_normalize=1
filters=14
size=3
stride=1
pad=1
activation=linear

[yolo]
mask = 1,2
anchors = 1,2, 3,4, 5,6
classes=2

[route]
layers = -4

[upsample]
stride=2

[route]
layers = -1, 2

[convolutional]
filters=7
size=1
stride=1
pad=1
activation=linear

[yolo]
mask = 0
anchors = 1,2, 3,4, 5,6
classes=2
"""
LABELS = ("cat", "dog")


def convolve(x, kernel, pad):
    """Correlation of C x H x W with F x C x k x k, zeros around."""
    size = kernel.shape[2]
    padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
    return np.einsum("chwij,fcij->fhw", windows, kernel)


def leaky(x):
    return np.where(x > 0, x, 0.1 * x)


def halve(x):
    c, h, w = x.shape
    return x.reshape(c, h // 2, 2, w // 2, 2).max(axis=(2, 4))


class RandomWeights:
    """Values in the order of the file, and the network of ``CFG`` as its documentation defines it."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.values: list[np.ndarray] = []

    def take(self, *shape):
        block = self.random.uniform(-1, 1, shape).astype(np.float32)
        self.values.append(block.ravel())
        return block

    def convolution(self, x, filters, size, norm):
        bias = self.take(filters)[:, None, None]
        if not norm:
            return convolve(x, self.take(filters, len(x), size, size), size // 2) + bias
        scale, mean = self.take(filters), self.take(filters)
        variance = self.random.uniform(0.5, 2, filters).astype(np.float32)
        self.values.append(variance)
        raw = convolve(x, self.take(filters, len(x), size, size), size // 2)
        mean, deviation, scale = (v[:, None, None] for v in (mean, np.sqrt(variance) + 1e-6, scale))
        return (raw - mean) / deviation * scale + bias

    def forward(self, image):
        x = np.repeat(image[None] / 255, 3, axis=0)
        x = halve(leaky(self.convolution(x, 4, 3, norm=True)))
        middle = leaky(self.convolution(x, 6, 1, norm=False))
        x = halve(middle)
        windows = np.pad(x, ((0, 0), (0, 1), (0, 1)), constant_values=-np.inf)
        x = np.lib.stride_tricks.sliding_window_view(windows, (2, 2), axis=(1, 2)).max(axis=(3, 4))
        coarse = self.convolution(x, 14, 3, norm=True)
        # [route] -4 from layer 7 is layer 3, the second halving
        fine = np.concatenate([np.repeat(np.repeat(halve(middle), 2, axis=1), 2, axis=2), middle])
        return coarse, self.convolution(fine, 7, 1, norm=False)

    def file(self, major=0, minor=2):
        header = np.array([major, minor, 0], "<i4").tobytes()
        seen = np.array([5], "<i8" if major * 10 + minor >= 2 else "<i4").tobytes()
        return header + seen + np.concatenate(self.values).astype("<f4").tobytes()


def run(model, image):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return session, dict(zip(names, session.run(names, {"image": image[None, None]}), strict=True))


@pytest.mark.parametrize("version", [(0, 1), (0, 2)])
@pytest.mark.parametrize("shape", [(8, 8), (12, 20)])
def test_network_computes_the_same_as_darknet(shape, version):
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    weights = RandomWeights(2)
    coarse, fine = weights.forward(image)
    session, outputs = run(convert(CFG, weights.file(*version), LABELS), image)
    np.testing.assert_allclose(outputs["head_4"][0], coarse, atol=1e-4)
    np.testing.assert_allclose(outputs["head_2"][0], fine, atol=1e-4)
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["labels"]) == list(LABELS)
    assert json.loads(metadata["heads"]) == [
        {"output": "head_4", "stride": 4, "anchors": [[3, 4], [5, 6]]},
        {"output": "head_2", "stride": 2, "anchors": [[1, 2]]},
    ]


def good_weights():
    weights = RandomWeights(2)
    weights.forward(np.zeros((8, 8), np.uint8))
    return weights.file()


@pytest.mark.parametrize(
    ("cfg", "weights", "labels", "words"),
    [
        (CFG, good_weights()[:-4], LABELS, "end before the configuration"),
        (CFG, good_weights() + b"1234", LABELS, "1 numbers more"),
        (CFG, good_weights()[:-2], LABELS, "middle of a number"),
        (CFG, b"", LABELS, "even the header"),
        (CFG, good_weights(), ("cat",), "2 classes, the list of names 1"),
        (CFG.replace("[upsample]", "[crnn]"), good_weights(), LABELS, r"\[crnn\] is not supported"),
        (CFG.replace("layers = -4", "layers = -40"), good_weights(), LABELS, "does not exist"),
        (CFG.replace("filters=4", "filters=many"), good_weights(), LABELS, "filters=many, not numbers"),
        (CFG.replace("filters=4", ""), good_weights(), LABELS, "has no filters"),
        (CFG.replace("mask = 0", "mask = 0,1"), good_weights(), LABELS, "stands on 7 channels"),
        (CFG.replace("activation=leaky", "activation=mish"), good_weights(), LABELS, "mish is not supported"),
        ("[net]", good_weights()[:20], LABELS, "no \\[yolo\\]"),
        ("<html>", good_weights(), LABELS, "Line 1"),
        ("", good_weights(), LABELS, "does not begin with"),
    ],
)
def test_files_that_do_not_fit_are_explained(cfg, weights, labels, words):
    with pytest.raises(ModelError, match=words):
        convert(cfg, weights, labels)


def test_sections_keep_order_and_drop_comments():
    sections = parse_cfg(CFG)
    assert [s.kind for s in sections][:4] == ["net", "convolutional", "maxpool", "convolutional"]
    assert sections[0].number("width") == 8
    assert sections[7].numbers("anchors") == [1, 2, 3, 4, 5, 6]
