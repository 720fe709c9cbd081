"""Declares a parameter: default, meaning, unit and bounds."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


def parameter(
    default: Any,
    description: str,
    *,
    unit: str = "",
    fixed: bool = False,
    for_good: bool = False,
    **bounds: Any,
) -> Any:
    """Declare a parameter.

    ``fixed``: read when the node is configured; can't change until it is cleaned up.
    ``for_good``: read when the process starts; can't change afterwards.
    """
    extra: dict[str, Any] = {"unit": unit, "fixed": fixed, "for_good": for_good}
    if isinstance(default, list):
        return Field(
            default_factory=lambda: list(default), description=description, json_schema_extra=extra, **bounds
        )
    return Field(default, description=description, json_schema_extra=extra, **bounds)


class NodeConfig(BaseModel):
    """The parameters that all nodes have."""

    # Every process imports the models of all nodes but uses only its own: pydantic compiles at first use.
    model_config = ConfigDict(extra="forbid", validate_default=True, strict=True, defer_build=True)

    autostart: bool = parameter(
        True, "Configure and activate at start; false: wait for a lifecycle manager.", for_good=True
    )
