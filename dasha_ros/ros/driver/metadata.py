"""Reads what a driver's metadata message tells about a picture."""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any

from dasha_ros.files.documents import parse_json
from dasha_ros.ros.driver.port import Told
from dasha_ros.ros.driver.table import Metadata, Quantity
from dasha_ros.ros.driver.units import to_own


def message_type(metadata: Metadata) -> Any:
    """The class of the messages.

    Raises:
        ValueError: Its package is not installed.
    """
    try:
        return getattr(import_module(f"{metadata.package}.msg"), metadata.kind)
    except (ImportError, AttributeError) as error:
        raise ValueError(
            f"the metadata of this driver are {metadata.package}/msg/{metadata.kind}, and Python does not "
            f"find it: install or source {metadata.package}"
        ) from error


def told_by(message: Any, metadata: Metadata) -> Told | None:
    """The exposure and the gain that a message tells; ``None``: it tells no exposure.

    A `DiagnosticArray` on a topic that many nodes share may be another node's.
    """
    values = _values(message, metadata.json)
    exposure_us = _number(values, metadata.exposure)
    if exposure_us is None or exposure_us <= 0.0:
        return None
    return Told(exposure_us, _number(values, metadata.gain) if metadata.gain is not None else None)


def _values(message: Any, json_field: str) -> dict[str, Any]:
    if json_field:
        try:
            document = parse_json(str(getattr(message, json_field, "")))
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}
    if hasattr(message, "status"):
        return {pair.key: pair.value for status in message.status for pair in status.values}
    return dict(vars(message))


def _number(values: dict[str, Any], quantity: Quantity) -> float | None:
    try:
        value = to_own(quantity.quantity, quantity.unit, float(values[quantity.name]))
    except (KeyError, TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None
