"""Reads a graph model of TensorFlow.js: the nodes of ``model.json``, and the weights beside it.

The format is that of ``tfjs-converter`` (github tensorflow/tfjs): ``modelTopology`` is a GraphDef in JSON,
with strings in base64 and whole numbers as strings; ``weightsManifest`` lists name, shape and type of each
constant in the order in which the weights lie in the binary files. Weights quantised to float16 are read as
float32.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dasha_ros.perception.errors import ModelError

_STORED = {"float32": "<f4", "float16": "<f2", "int32": "<i4"}


@dataclass(frozen=True, slots=True)
class Node:
    """One operator of the graph."""

    name: str
    op: str
    inputs: tuple[str, ...]
    """Names of its inputs: ``NODE`` for the first output of a node, ``NODE:1`` for the second."""
    attributes: Mapping[str, Any]

    def text(self, key: str) -> str:
        """An attribute that is a string; empty if there is none."""
        return _text(self.attributes.get(key, {}).get("s", ""))

    def texts(self, key: str) -> list[str]:
        """An attribute that is a list of strings."""
        return [_text(item) for item in self.attributes.get(key, {}).get("list", {}).get("s", [])]

    def numbers(self, key: str) -> list[int]:
        """An attribute that is a list of whole numbers."""
        return [int(item) for item in self.attributes.get(key, {}).get("list", {}).get("i", [])]

    def real(self, key: str) -> float:
        """An attribute that is a number; 0 if there is none."""
        return float(self.attributes.get(key, {}).get("f", 0.0))

    def flag(self, key: str) -> bool:
        """An attribute that is true or false; false if there is none."""
        return bool(self.attributes.get(key, {}).get("b", False))


@dataclass(frozen=True, slots=True)
class TfjsGraph:
    """A graph model."""

    nodes: Mapping[str, Node]
    """By name."""
    constants: Mapping[str, NDArray[Any]]
    """Value of each constant, float32 or int32."""


def read_graph(topology: bytes, weights: bytes) -> TfjsGraph:
    """Read a graph model.

    Args:
        topology: Content of ``model.json``.
        weights: Content of its binary files, one after the other.

    Raises:
        ModelError: The files are no graph model, do not fit each other, or hold a type that is not supported.
    """
    try:
        document = json.loads(topology)
        listed = [entry for group in document["weightsManifest"] for entry in group["weights"]]
        nodes = {
            entry["name"]: Node(
                entry["name"],
                entry["op"],
                tuple(name for name in entry.get("input", ()) if not name.startswith("^")),
                entry.get("attr", {}),
            )
            for entry in document["modelTopology"]["node"]
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"The model.json is not a graph model of TensorFlow.js ({error!r}).") from error
    return TfjsGraph(nodes, _constants(listed, weights))


def _constants(listed: list[Mapping[str, Any]], weights: bytes) -> dict[str, NDArray[Any]]:
    found: dict[str, NDArray[Any]] = {}
    at = 0
    for entry in listed:
        kept, stored = entry["dtype"], entry.get("quantization", {}).get("dtype", entry["dtype"])
        if kept not in ("float32", "int32") or stored not in _STORED:
            raise ModelError(
                f"The TensorFlow.js weight {entry['name']} has the type {stored}: not supported."
            )
        count = int(np.prod(entry["shape"], dtype=np.int64))
        size = count * np.dtype(_STORED[stored]).itemsize
        if at + size > len(weights):
            raise ModelError("The TensorFlow.js weights end before the model.json does.")
        values = np.frombuffer(weights, _STORED[stored], count, at)
        found[entry["name"]] = values.astype(kept).reshape(entry["shape"])
        at += size
    if at != len(weights):
        raise ModelError(
            f"The TensorFlow.js weights hold {len(weights) - at} bytes more than the model.json."
        )
    return found


def _text(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ModelError(f"The model.json holds {encoded!r}, which is no text in base64.") from error
