"""The network of a learned policy in numpy: small, exact, and loaded at once.

Training needs PyTorch, running a policy does not. Importing PyTorch takes seconds; a forward pass
through two layers of a few dozen units takes microseconds here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Mlp:
    """Linear layers with tanh between them."""

    weights: tuple[Floats, ...]
    """Each of shape (inputs, outputs)."""
    biases: tuple[Floats, ...]

    def __call__(self, x: NDArray[np.floating]) -> Floats:
        """From shape (n, inputs) to (n, outputs)."""
        y = np.asarray(x, np.float32)
        last = len(self.weights) - 1
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            y = y @ weight + bias
            if i < last:
                y = np.tanh(y)
        return y

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """The arrays by name, for a file."""
        named: dict[str, NDArray[Any]] = {}
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            named[f"{prefix}.{i}.weight"], named[f"{prefix}.{i}.bias"] = weight, bias
        return named

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], prefix: str) -> Mlp:
        """The inverse of `arrays`.

        Raises:
            ValueError: Layers are missing or do not fit together.
        """
        mine = [name.rpartition(".")[2] for name in arrays if name.startswith(f"{prefix}.")]
        count = max(mine.count("weight"), mine.count("bias"))
        if count == 0:
            raise ValueError(f"no layers called {prefix}")
        try:
            weights = tuple(np.asarray(arrays[f"{prefix}.{i}.weight"], np.float32) for i in range(count))
            biases = tuple(np.asarray(arrays[f"{prefix}.{i}.bias"], np.float32) for i in range(count))
        except KeyError as error:
            raise ValueError(f"layer {error} is missing") from error
        sizes = [weight.shape for weight in weights]
        if any(len(size) != 2 or 0 in size for size in sizes):
            raise ValueError(f"the layers of {prefix} are no matrices: {sizes}")
        fits = all(a[1:] == b[:1] for a, b in pairwise(sizes))
        if not fits or any(b.shape != w.shape[1:] for w, b in zip(weights, biases, strict=True)):
            raise ValueError(f"the layers of {prefix} do not fit together: {sizes}")
        return cls(weights, biases)


@dataclass(frozen=True)
class PolicyNet:
    """A policy over one or several discrete choices, and a value function of its states."""

    actor: Mlp
    critic: Mlp
    nvec: tuple[int, ...]
    """Number of choices of each part of an action."""

    def log_probabilities(self, observation: NDArray[np.floating]) -> tuple[Floats, ...]:
        """Log probability of every choice of each part, shapes (n, choices).

        Args:
            observation: Shape (n, size).
        """
        logits = self.actor(observation)
        parts = np.split(logits, np.cumsum(self.nvec)[:-1], axis=1)
        return tuple(part - _log_sum(part) for part in parts)

    def ranked(
        self, observation: NDArray[np.floating], rng: np.random.Generator | None = None
    ) -> NDArray[np.intp]:
        """All actions for each observation, the likeliest first.

        Args:
            observation: Shape (n, size).
            rng: Draws the order by the probabilities instead; the first action is then a sample.

        Returns:
            Shape (n, actions, parts).
        """
        joint: NDArray[np.floating] = np.zeros((len(observation), 1))
        for part in self.log_probabilities(observation):
            joint = (joint[:, :, None] + part[:, None, :]).reshape(len(observation), -1)
        if rng is not None:
            # The action with the largest log probability plus Gumbel noise is a sample.
            joint = joint + rng.gumbel(size=joint.shape)
        order = np.argsort(-joint, axis=1, kind="stable")
        return np.stack(np.unravel_index(order, self.nvec), axis=2)

    def values(self, observation: NDArray[np.floating]) -> Floats:
        """Expected return, shape (n,)."""
        value: Floats = self.critic(observation)[:, 0]
        return value

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, for a file."""
        return {**self.actor.arrays("actor"), **self.critic.arrays("critic")}

    def check_inputs(self, size: int) -> None:
        """Refuse observations of another length.

        Raises:
            ValueError: The actor or the critic takes more or fewer numbers than ``size``.
        """
        for name, part in (("actor", self.actor), ("critic", self.critic)):
            if (takes := part.weights[0].shape[0]) != size:
                raise ValueError(
                    f"{name}.0.weight takes {takes} numbers, but there are {size} in an observation"
                )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], nvec: Sequence[int]) -> PolicyNet:
        """The inverse of `arrays`.

        Raises:
            ValueError: Layers are missing or do not fit.
        """
        actor, critic = Mlp.from_arrays(arrays, "actor"), Mlp.from_arrays(arrays, "critic")
        if actor.weights[-1].shape[1] != sum(nvec) or critic.weights[-1].shape[1] != 1:
            raise ValueError(f"the network has other outputs than {sum(nvec)} choices and a value")
        return cls(actor, critic, tuple(int(n) for n in nvec))


def _log_sum(logits: Floats) -> Floats:
    top = logits.max(axis=1, keepdims=True)
    total: Floats = top + np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
    return total
