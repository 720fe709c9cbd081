"""A small Q network in plain numpy: a rival's DQN after training.

The file is an ``.npz`` archive: ``weight_0``, ``bias_0``, ... of fully connected layers with
rectifiers between them, and ``card``, a JSON text that says how it was made.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dasha_ros.files.arrays import read_arrays
from dasha_ros.files.documents import parse_json
from dasha_ros.files.errors import FileError

Floats = NDArray[np.float32]


class QNetworkError(ValueError):
    """A file that holds no Q network; the message says why and what to do."""


@dataclass(frozen=True)
class QNetwork:
    """Action values of a state."""

    layers: tuple[tuple[Floats, Floats], ...]
    """(weight, bias) of each layer; shapes (inputs, outputs) and (outputs,)."""
    made: dict[str, Any] = field(default_factory=dict)
    """Rival, seed, split, steps, settings: how to make it again."""

    def __post_init__(self) -> None:
        """Check the shapes."""
        width = None
        for weight, bias in self.layers:
            if weight.ndim != 2 or bias.shape != (weight.shape[1],) or width not in (None, weight.shape[0]):
                raise QNetworkError("the layers of the network don't fit together")
            if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
                raise QNetworkError("a weight of the network is not a finite number")
            width = weight.shape[1]
        if width is None:
            raise QNetworkError("the network has no layers")

    @property
    def inputs(self) -> int:
        """Size of a state."""
        return int(self.layers[0][0].shape[0])

    @property
    def actions(self) -> int:
        """Number of actions."""
        return int(self.layers[-1][0].shape[1])

    def values(self, state: NDArray[np.floating]) -> Floats:
        """Q(s, .), shape (..., `actions`), of states of shape (..., `inputs`)."""
        x = np.asarray(state, np.float32)
        for i, (weight, bias) in enumerate(self.layers):
            x = (np.maximum(x, 0.0) if i else x) @ weight + bias
        return x

    def best(self, state: NDArray[np.floating]) -> int:
        """The greedy action of one state."""
        return int(np.argmax(self.values(state)))

    def check(self, inputs: int, actions: int, what: str) -> QNetwork:
        """Return the network if it has these sizes.

        Raises:
            QNetworkError: It has others.
        """
        if (self.inputs, self.actions) != (inputs, actions):
            raise QNetworkError(
                f"{what} needs a network from {inputs} numbers to {actions} actions; "
                f"this one goes from {self.inputs} to {self.actions}: train it again"
            )
        return self

    @classmethod
    def load(cls, path: Path) -> QNetwork:
        """Read the file that `save` wrote.

        Raises:
            QNetworkError: There is none, or it holds something else.
        """
        try:
            arrays = read_arrays(path)
            count = sum(name.startswith("weight_") for name in arrays)
            layers = tuple((arrays[f"weight_{i}"], arrays[f"bias_{i}"]) for i in range(count))
            return cls(layers, parse_json(str(arrays["card"])))
        except FileError as error:
            raise QNetworkError(
                f"the Q network {error}: train it again (`dasha_ros.learning.training.rivals`)"
            ) from error
        except QNetworkError as error:
            raise QNetworkError(f"{path}: {error}") from error
        except (KeyError, ValueError, TypeError) as error:
            raise QNetworkError(
                f"{path} can't be read as a Q network ({error}): train it again, "
                "see `dasha_ros.learning.training.rivals`"
            ) from error

    def save(self, path: Path) -> None:
        """Write the file that `load` reads."""
        arrays = {f"weight_{i}": weight for i, (weight, _) in enumerate(self.layers)}
        arrays |= {f"bias_{i}": bias for i, (_, bias) in enumerate(self.layers)}
        np.savez_compressed(path, card=np.array(json.dumps(self.made)), **arrays)  # type: ignore[arg-type]
