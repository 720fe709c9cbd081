"""Presets of training: YAML files in ``config/presets``, validated.

``paper`` follows the paper, as ``docs/explanation/paper.md`` reads it; its shipped policies were trained with
``paper_drawn``. ``plus`` is the best preset that was found, and says how it differs. ``ablation_...`` are
``plus`` without one of its parts. A file may extend another one: with ``extends: plus`` it holds only the
differences.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from dasha_ros.files import version_0_1
from dasha_ros.files.documents import read_yaml
from dasha_ros.files.errors import FileError
from dasha_ros.files.naming import expanded
from dasha_ros.files.validation import reasons
from dasha_ros.learning.training.preset_models import Preset
from dasha_ros.perception.percept import Percept
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import FocusTask
from dasha_ros.policies.reached import exposure_verdict, focus_verdict
from dasha_ros.system.paths import config_dir

Verdict = Callable[[Percept, FocusTask], tuple[ErrorCode, str]]
"""Returns the error code of an episode, and what happened, from its last percept."""


class PresetError(ValueError):
    """A preset that can't be used; the message names the file, the key and the reason."""


def preset_names() -> tuple[str, ...]:
    """Names of the presets that ship with the package."""
    return tuple(sorted(path.stem for path in (config_dir() / "presets").glob("*.yaml")))


def load_preset(name_or_path: str | Path, **changes: Any) -> Preset:
    """A preset by the name of a shipped one, or from a YAML file.

    Args:
        name_or_path: Name or path of the preset.
        **changes: Replace values, by dotted key with ``__`` for the dot: ``focus__steps=1000``.

    Raises:
        PresetError: No such preset, no YAML, or a value that can't be used.
    """
    path = _path_of(name_or_path)
    document = _extended(path)
    for key, value in changes.items():
        _put(document, key.split("__"), value)
    return preset_from(document | {"name": document.get("name", path.stem)}, str(path))


def preset_from(document: dict[str, Any], where: str) -> Preset:
    """A preset from what YAML or JSON holds.

    Raises:
        PresetError: A value can't be used; the message begins with ``where``.
    """
    try:
        return Preset(**version_0_1.preset(document))
    except (ValidationError, TypeError) as error:
        raise PresetError(f"preset {where}: {reasons(error, model=Preset)}") from error


def _path_of(name_or_path: str | Path) -> Path:
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or text.endswith((".yaml", ".yml")):
        return expanded(text, lambda why: PresetError(f"preset {why}"))
    if text not in preset_names():
        raise PresetError(
            f"no preset {text!r}; give the path of a YAML file, or one of: {', '.join(preset_names())}"
        )
    return config_dir() / "presets" / f"{text}.yaml"


def _extended(path: Path) -> dict[str, Any]:
    """What a file holds, laid over what the shipped preset holds that it extends."""
    document = _document(path)
    if "extends" not in document:
        return document
    try:
        base = _document(_path_of(str(document.pop("extends"))))
    except PresetError as error:
        raise PresetError(f"preset {path}: extends: {error}") from error
    if "extends" in base:
        raise PresetError(f"preset {path}: extends: it names a preset that extends another one itself")
    return _laid_over(base, document)


def _document(path: Path) -> dict[str, Any]:
    try:
        document = read_yaml(path)
    except FileError as error:
        raise PresetError(f"preset {error}") from error
    if not isinstance(document, dict):
        raise PresetError(f"preset {path} must hold keys and values")
    # Here already: a file of 0.1 may be laid over a preset of today.
    return version_0_1.preset(document)


def _laid_over(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = _laid_over(base[key], value) if both else value
    return merged


def _put(document: dict[str, Any], keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        document = document.setdefault(key, {})
    document[keys[-1]] = value


def verdict_of(preset: Preset, agent: Literal["exposure", "focus"]) -> Verdict:
    """A function that returns the error code of an episode, and what happened, from its last percept.

    Args:
        preset: Has the rules.
        agent: Which agent plays.
    """
    if agent == "focus":
        return focus_verdict
    rule = preset.exposure.rule
    return lambda percept, task: exposure_verdict(rule, percept)
