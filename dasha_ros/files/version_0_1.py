"""Converts files of dasha_ros 0.1. No other module knows the old names.

Version 0.1 knew one lens, whose positions were volts from 24 to 70; since 0.2 every lens has its own unit.
Each function takes the content of a file and returns it under today's names, with the same numbers. Content
that is already up to date is returned unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WRITTEN = "written by dasha_ros 0.1"
"""How messages describe a file of that version."""
UNIT = "V"
"""Unit of every position in files of 0.1."""
DIOPTRES_PER_VOLT = 0.31
"""The lens that 0.1 trained with (profile ``physical``)."""


_PARAMETERS = {
    "low_level_agent.profile": "the agent gets its lens from lens/info, so set lens_driver.profile alone",
    "lens_driver.initial_volts": "it is initial_share now, from 0 (the least position) to 1 (the greatest)",
    "device_emulator.step_volts": "it is lens_step now",
    "device_emulator.hysteresis_volts": "it is lens_hysteresis now",
}


def is_message(definition: str) -> bool:
    """Whether a message's definition is that of 0.1: it speaks of volts."""
    return "volts" in definition


def parameter(node: str, name: str) -> str:
    """The replacement of a ROS parameter of 0.1; empty for any other."""
    return _PARAMETERS.get(f"{node}.{name}", "")


def lens_table(document: dict[str, Any]) -> dict[str, Any]:
    """Convert a lens profile: rows had ``volts``, and files had no unit."""
    rows = document.get("points")
    if not isinstance(rows, list) or not any(isinstance(row, dict) and "volts" in row for row in rows):
        return document
    points = [_renamed(row, {"volts": "position"}) if isinstance(row, dict) else row for row in rows]
    return {"unit": UNIT, **document, "points": points}


def report(document: dict[str, Any]) -> dict[str, Any]:
    """Convert a ``report.json`` of version 2: lens positions were ``volts``."""
    if document.get("version") != 2 or not isinstance(document.get("steps"), list):
        return document
    settings = {
        key: _renamed(value, {"volts": "lens_position"}) | {"lens_unit": UNIT}
        for key in ("before", "after")
        if isinstance(value := document.get(key), dict)
    }
    steps = [_step(step) if isinstance(step, dict) else step for step in document["steps"]]
    return {**document, **settings, "steps": steps, "version": 3}


def _step(step: dict[str, Any]) -> dict[str, Any]:
    renamed = dict(step)
    if isinstance(lens := step.get("lens"), dict):
        names = {"volts": "position", "commanded_volts": "commanded_position"}
        renamed["lens"] = _renamed(lens, names) | {"unit": UNIT}
    if isinstance(command := step.get("command"), dict):
        renamed["command"] = _renamed(command, {"volts": "lens_position"})
    return renamed


def preset(document: dict[str, Any]) -> dict[str, Any]:
    """Convert a preset of training, or a part of one: it had other keys, and A^L's ranges in volts."""
    changed = dict(document)
    if isinstance(exposure := document.get("exposure"), dict):
        changed["exposure"] = _renamed(exposure, {"interface": "observation"})
    if isinstance(focus := document.get("focus"), dict):
        changed["focus"] = _focus(focus)
    return changed


def _focus(focus: dict[str, Any]) -> dict[str, Any]:
    names = {
        "interface": "observation",
        "doubt_price": "defocus_price",
        "observe_volts": "observe_position",
    }
    focus = _renamed(focus, names)
    if "stay_volts" in focus:
        focus["stay_dioptres"] = _dioptres(focus.pop("stay_volts"))
    if isinstance(world := focus.get("world"), dict):
        world = _renamed(world, {"hysteresis_volts": "hysteresis", "volts": "start_position"})
        if list(world.get("start_position") or ()) == [24.0, 70.0]:
            world["start_position"] = None  # Anywhere.
        if "drift_volts" in world:
            world["drift_dioptres"] = _dioptres(world.pop("drift_volts"))
        focus["world"] = world
    return focus


def policy(info: dict[str, Any]) -> dict[str, Any]:
    """Convert the description of a policy file of format 1: other keys, other ablations, a rule in volts."""
    if info.get("format") != 1:
        return info
    info = _renamed(info, {"reader": "extractor", "observation": "observation_size"}) | {"format": 2}
    kinds = {
        "belief_volt_blind": "belief_without_position",
        "belief_detection_deaf": "belief_without_detection",
    }
    info["extractor"] = kinds.get(info.get("extractor", ""), info.get("extractor"))
    if isinstance(rules := info.get("rules"), dict) and "stay_volts" in rules:
        stay = _dioptres(rules["stay_volts"])
        info["rules"] = {**{k: v for k, v in rules.items() if k != "stay_volts"}, "stay_dioptres": stay}
    made = info.get("made")
    if isinstance(made, dict) and isinstance(made.get("preset"), dict):
        info["made"] = {**made, "preset": preset(made["preset"])}
    return info


def policy_arrays(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the arrays of a policy file: those of the fitted feature extractor were under ``reader/``."""
    old, new = "reader/", "fitted/"
    return {new + k[len(old) :] if k.startswith(old) else k: value for k, value in arrays.items()}


def _dioptres(volts: Any) -> Any:
    """Convert a difference of positions into the change of focus that it makes [1/m]."""
    # Twelve digits, so that 0.2 V are exactly 0.062 D.
    return float(f"{volts * DIOPTRES_PER_VOLT:.12g}") if isinstance(volts, int | float) else volts


def _renamed(values: Mapping[Any, Any], names: Mapping[str, str]) -> dict[Any, Any]:
    """Rename the keys of a mapping, in the same order."""
    return {names.get(key, key): value for key, value in values.items()}
