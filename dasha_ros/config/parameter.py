"""What a parameter is: a default with its meaning, unit and bounds."""

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
    """A parameter.

    ``fixed``: read when the node is configured, not changeable until it is cleaned up.
    ``for_good``: read when the process starts, not changeable at all.
    """
    extra: dict[str, Any] = {"unit": unit, "fixed": fixed, "for_good": for_good}
    if isinstance(default, list):
        return Field(
            default_factory=lambda: list(default), description=description, json_schema_extra=extra, **bounds
        )
    return Field(default, description=description, json_schema_extra=extra, **bounds)


class NodeConfig(BaseModel):
    """What all nodes share."""

    # Every process knows the models of all nodes and uses its own: pydantic compiles each at its first use.
    model_config = ConfigDict(extra="forbid", validate_default=True, strict=True, defer_build=True)

    autostart: bool = parameter(
        True, "Configure and activate at start; false: wait for a lifecycle manager.", for_good=True
    )
