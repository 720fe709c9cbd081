"""What a policy file must hold: fields of the right types, and finite arrays whose shapes fit each other.

NumPy would broadcast or carry on with an array of another shape, or with NaN, and the policy would play
silently wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from dasha_ros.estimation.colour_sign import SIGNED_NODES
from dasha_ros.estimation.detectability import CLASSES
from dasha_ros.estimation.profile import NODES
from dasha_ros.estimation.readout import FEATURES, GRID_ENCODER
from dasha_ros.perception.quality.detail import BANDS
from dasha_ros.policies.policy import ExposureRule

Arrays = Mapping[str, NDArray[Any]]

LATENT = "latent"
"""Kind of the feature extractor of latents alone. A^L's policies of this kind command absolute positions of
one lens."""
ABSOLUTE, RELATIVE = "readout", "readout_relative"
"""Kinds of `ReadoutExposureExtractor`."""
BELIEF, WITH_PLAN, WITH_COLOUR = "belief", "belief_with_plan", "belief_with_plan_and_colour"
WITHOUT_POSITION, WITHOUT_DETECTION = "belief_without_position", "belief_without_detection"
"""Kinds of `BeliefFeatureExtractor`: the belief, the same with plans, with colours, too, and ablations."""
_KINDS = {
    "exposure": (LATENT, ABSOLUTE, RELATIVE),
    "focus": (LATENT, BELIEF, WITH_PLAN, WITH_COLOUR, WITHOUT_POSITION, WITHOUT_DETECTION),
}
_LONGEST_LATENT = 2**20
_READS_NUMBERS = f"it must be {GRID_ENCODER}, from which that extractor reads"


def _whole(value: Any) -> bool:
    return type(value) is int and value >= 1


def _finite(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= sys.float_info.max


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


_Rule = tuple[Callable[[Any], bool], str]
_TEXT: _Rule = (lambda value: isinstance(value, str), "a text")
_WORD: _Rule = (lambda value: isinstance(value, str) and bool(value), "a text that is not empty")
_COUNT: _Rule = (_whole, "a whole number of at least 1")
_MAP: _Rule = (lambda value: isinstance(value, dict), "a mapping of names to values")
_FIELDS: dict[str, _Rule] = {
    "preset": _WORD,
    "extractor": _WORD,
    "encoder": _WORD,
    "lens": _TEXT,
    "table": _TEXT,
    "nvec": (
        lambda value: isinstance(value, list) and bool(value) and all(map(_whole, value)),
        "a list of whole numbers of at least 1",
    ),
    "observation_size": _COUNT,
    "rules": _MAP,
    "made": _MAP,
    "format": _COUNT,
}
_OPTIONAL = {"rules", "made"}
_STOPS = get_args(ExposureRule)
_RULES: dict[str, _Rule] = {
    "end_on_detection": (lambda value: isinstance(value, bool), "true or false"),
    "stay_dioptres": (lambda value: _finite(value) and value >= 0.0, "a number of at least 0"),
    "min_score": (lambda value: _finite(value) and 0.0 <= value <= 1.0, "a number from 0 to 1"),
    "stop": (lambda value: value in _STOPS, f"one of {', '.join(_STOPS)}"),
    "deployed": (lambda value: value in ("search", "algorithm_1"), "search or algorithm_1"),
}


_NUMBER: _Rule = (
    lambda value: value is None or (type(value) is int and value >= 0),
    "a whole number of at least 0",
)
_MADE: dict[str, _Rule] = {
    "seed": _NUMBER,
    "split": _NUMBER,
    "cache_key": _TEXT,
    "scenes": (
        lambda value: isinstance(value, dict) and all(_texts(names) for names in value.values()),
        "a mapping of names to lists of texts",
    ),
    "pictures": (
        lambda value: isinstance(value, list) and all(_texts(pair) and len(pair) == 2 for pair in value),
        "a list of pairs of texts",
    ),
}
"""What is read of how a policy was made: by whoever asks from which photographs it learned."""


def check_fields(document: Mapping[str, Any]) -> None:
    """Refuse a description with missing or unknown fields, or values of other types.

    Args:
        document: The parsed text ``info`` of a policy file; its ``agent`` was checked before.

    Raises:
        ValueError: The message names the field.
    """
    if missing := [name for name in _FIELDS if name not in document and name not in _OPTIONAL]:
        raise ValueError(f"info has no {missing[0]}")
    if unknown := sorted(set(document) - {"agent", *_FIELDS}):
        raise ValueError(f"info has an unknown field {unknown[0]!r}")
    _check(document, _FIELDS, "info")
    _check(document.get("rules", {}), _RULES, "info.rules")
    _check(document.get("made", {}), _MADE, "info.made")
    kinds = _KINDS[document["agent"]]
    if (kind := document["extractor"]) not in kinds:
        raise ValueError(f"info.extractor is {kind!r}; it must be one of {', '.join(kinds)}")
    if kind != LATENT and document["encoder"] != GRID_ENCODER:
        raise ValueError(f"info.encoder is {document['encoder']!r}; {_READS_NUMBERS}")
    if document["agent"] == "exposure" and len(document["nvec"]) != 1:
        raise ValueError(f"info.nvec is {document['nvec']}; a policy for exposure has one choice")


def _check(values: Mapping[str, Any], rules: Mapping[str, _Rule], where: str) -> None:
    for name, (fits, what) in rules.items():
        if name in values and not fits(values[name]):
            raise ValueError(f"{where}.{name} is {_brief(values[name])}; it must be {what}")


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def check_numbers(arrays: Arrays) -> None:
    """Refuse arrays that hold something else than finite numbers.

    Args:
        arrays: The arrays of a policy file by name, without ``info``.

    Raises:
        ValueError: The message names the array.
    """
    for name, value in arrays.items():
        if value.dtype.kind not in "fiu":
            raise ValueError(f"{name} holds no numbers, but values of the type {value.dtype}")
        # Networks calculate in single precision, in which a larger number is infinite.
        with np.errstate(over="ignore"):
            finite = np.isfinite(value.astype(np.float32))
        if not finite.all():
            raise ValueError(f"{name} holds values that are not finite numbers")


def check_fitted(kind: str, fitted: Arrays) -> None:
    """Refuse fitted arrays whose shapes don't fit each other, or the package.

    Args:
        kind: Kind of the feature extractor.
        fitted: The arrays by name, without their prefix.

    Raises:
        ValueError: The message names the array.
    """
    if kind == LATENT:
        _check_latent(fitted)
        return
    sizes: dict[str, int] = {}
    for name, expected in _shapes(kind).items():
        if name not in fitted:
            raise ValueError(f"fitted/{name} is missing")
        shape = fitted[name].shape
        if len(shape) == len(expected):
            for size, length in zip(expected, shape, strict=True):
                if isinstance(size, str):
                    sizes.setdefault(size, length)
        asked = tuple(size if isinstance(size, int) else sizes.get(size, size) for size in expected)
        if shape != asked or 0 in shape:
            raise ValueError(f"fitted/{name} has the shape {_by(shape)}; it must be {_by(asked)}")
        if name.endswith(".variance") and not (fitted[name] > 0).all():
            raise ValueError(f"fitted/{name} holds a variance that is not positive")
        if name == "detection.weights" and not (fitted[name] >= 0).all():
            raise ValueError(f"fitted/{name} holds a negative share")


def _shapes(kind: str) -> dict[str, _Shape]:
    """What a kind's file must hold."""
    if kind in (ABSOLUTE, RELATIVE):
        return _EXPOSURE
    return {**_FOCUS, **_COLOUR} if kind == WITH_COLOUR else _FOCUS


def _by(shape: tuple[int | str, ...]) -> str:
    return " x ".join(map(str, shape)) or "of one number"


def _check_latent(fitted: Arrays) -> None:
    size = fitted.get("latent_size")
    if size is None:
        raise ValueError("fitted/latent_size is missing")
    if size.shape != () or size.dtype.kind not in "iu" or not 1 <= int(size) <= _LONGEST_LATENT:
        raise ValueError(
            f"fitted/latent_size is {_brief(size.tolist())}; "
            f"it must be a whole number from 1 to {_LONGEST_LATENT}"
        )


_Shape = tuple[int | str, ...]
"""Lengths of an array's axes; a text stands for a length that is the same wherever it occurs."""


def _readout(name: str, features: int, numbers: str) -> dict[str, _Shape]:
    return {
        f"{name}.centre": (features,),
        f"{name}.offset": (numbers,),
        f"{name}.weights": (features, numbers),
    }


def _profile(name: str, numbers: int | str, nodes: int = NODES) -> dict[str, _Shape]:
    return {
        f"{name}.mean": (nodes, numbers),
        f"{name}.modes": (nodes, f"modes of {name}", numbers),
        f"{name}.variance": (nodes, numbers),
    }


_EXPOSURE = _readout("readout", FEATURES, "numbers")
_COLOUR = _profile("colour_profile", BANDS, SIGNED_NODES)
_FOCUS: dict[str, _Shape] = {
    **_readout("frame", FEATURES, "numbers"),
    **_readout("box", FEATURES, "numbers"),
    **_readout("detail", BANDS, "numbers of detail"),
    **_profile("frame_profile", "numbers"),
    **_profile("box_profile", "numbers"),
    **_profile("detail_profile", "numbers of detail"),
    "detection.weights": ("kinds",),
    "detection.log_answers": ("kinds", NODES, CLASSES),
}
