"""A node's parameters: declared from its configuration model; invalid values are refused with a reason."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from pydantic import ValidationError
from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter

from dasha_ros.config import (
    ConfigError,
    NodeConfig,
    bounds_of,
    choices_of,
    explain,
    is_fixed,
    is_for_good,
    limits_of,
    unit_of,
)
from dasha_ros.config.params_file import is_general

C = TypeVar("C", bound=NodeConfig)


def _ignored(unknown: list[str], known: list[str]) -> str:
    """A sentence that names unknown parameters, each with the most similar known name."""
    told = []
    for name in unknown:
        near = difflib.get_close_matches(name, known, 1, 0.7)
        told.append(f"{name} (did you mean {near[0]}?)" if near else name)
    return f"ignored unknown parameters: {', '.join(told)}"


def descriptor(model: type[NodeConfig], key: str) -> ParameterDescriptor:
    """What ``ros2 param describe`` shows: meaning, unit, bounds, and when it can be changed."""
    info, unit = model.model_fields[key], unit_of(model, key)
    constraints = (
        bounds_of(model, key) if choices_of(model, key) else "",
        "changeable only while the node is unconfigured" if is_fixed(model, key) else "",
    )
    message = ParameterDescriptor(
        name=key,
        description=f"{info.description}{f' [{unit}]' if unit else ''}",
        read_only=is_for_good(model, key),
        additional_constraints="; ".join(filter(None, constraints)),
        # Accepts 100 for 100.0; the model still refuses what is not a number.
        dynamic_typing=isinstance(info.get_default(call_default_factory=True), (float, list)),
    )
    limits = limits_of(model, key)
    if limits and info.annotation is int:
        message.integer_range = [IntegerRange(from_value=int(limits[0]), to_value=int(limits[1]))]
    elif limits:
        message.floating_point_range = [FloatingPointRange(from_value=limits[0], to_value=limits[1])]
    return message


def _plain(value: Any) -> Any:
    return list(value) if hasattr(value, "typecode") or isinstance(value, tuple) else value


class Parameters(Generic[C]):
    """Declares, validates and applies a node's parameters.

    A change is validated as a whole. If any value is invalid, nothing is applied and all reasons
    are returned together.
    """

    def __init__(
        self,
        node: Node,
        model: type[C],
        on_change: Callable[[C], None],
        refuse: Callable[[C], str],
        state: Callable[[], str],
    ) -> None:
        """Declare every parameter.

        Args:
            node: The node that owns them.
            model: Declares names, types, defaults and limits.
            on_change: Called with all values after a change.
            refuse: Returns why a change that the model allows can't be made, or "".
            state: Returns the node's lifecycle state. Fixed parameters change only while it is
                unconfigured.

        Raises:
            ConfigError: A value given at start is out of range or of the wrong type.
        """
        self._node, self._model, self._on_change, self._refuse = node, model, on_change, refuse
        self._state = state
        # Until a parameter is declared, rclpy keeps its start value only here.
        given = {k: p for k, p in node._parameter_overrides.items() if not is_general(k)}
        overrides = {k: p for k, p in given.items() if k in model.model_fields}
        if unknown := sorted(given.keys() - overrides.keys()):
            # Nodes of rclcpp and rclpy ignore them too: one parameter file may serve several versions.
            node.get_logger().warning(_ignored(unknown, list(model.model_fields)))
        self.values: C = self._validated(self._changes(self._as_declared(list(overrides.values()))))
        for key in model.model_fields:
            node.declare_parameter(
                key, getattr(self.values, key), descriptor(model, key), ignore_override=True
            )
        node.add_pre_set_parameters_callback(self._as_declared)
        node.add_on_set_parameters_callback(self._validate)
        node.add_post_set_parameters_callback(self._apply)

    def _validated(self, changes: dict[str, Any]) -> C:
        current = self.values.model_dump() if hasattr(self, "values") else {}
        try:
            return self._model(**{**current, **changes})
        except ValidationError as error:
            raise ConfigError(f"{self._node.get_name()}: {explain(error)}") from error

    def _changes(self, parameters: list[Parameter]) -> dict[str, Any]:
        return {p.name: _plain(p.value) for p in parameters if p.name in self._model.model_fields}

    def _as_declared(self, parameters: list[Parameter]) -> list[Parameter]:
        """Correct two types: a serial number in digits is a string, and rcl passes an empty list as unset."""
        return [self._declared(parameter) for parameter in parameters]

    def _declared(self, given: Parameter) -> Parameter:
        field = self._model.model_fields.get(given.name)
        default = field.get_default(call_default_factory=True) if field is not None else None
        if isinstance(default, str) and given.type_ == Parameter.Type.INTEGER:
            self._node.get_logger().warning(
                f"{given.name} was given as a number and is read as {str(given.value)!r}: if that is not "
                f"what you wrote, as 021 or 0x1F, put it in quotes, as in \"{given.name}:='021'\""
            )
            return Parameter(given.name, Parameter.Type.STRING, str(given.value))
        if isinstance(default, list) and given.type_ == Parameter.Type.NOT_SET:
            return Parameter(given.name, value=[])
        return given

    def _kept(self, config: C) -> str:
        """Why a fixed parameter can't be changed now, or ""."""
        state = self._state()
        if state == "unconfigured":
            return ""
        names = [
            key
            for key in self._model.model_fields
            if is_fixed(self._model, key) and getattr(config, key) != getattr(self.values, key)
        ]
        todo = "clean it up" if state == "inactive" else "deactivate it and clean it up"
        return (
            f"{', '.join(names)}: {self._node.get_name()} is {state} and has read it already; {todo} first, "
            "then configure it again"
            if names
            else ""
        )

    def _validate(self, parameters: list[Parameter]) -> SetParametersResult:
        try:
            wanted = self._validated(self._changes(parameters))
            reason = self._other_clock(parameters) or self._kept(wanted) or self._refuse(wanted)
        except Exception as error:  # From the model or from a device.
            reason = str(error)
        return SetParametersResult(successful=not reason, reason=reason)

    def _other_clock(self, parameters: list[Parameter]) -> str:
        """Why a node can't change its clock: all nodes of a graph compare their times."""
        clock = "use_sim_time"
        for given in parameters:
            if given.name == clock and given.value != self._node.get_parameter(clock).value:
                return (
                    f"{clock}: all nodes of a graph need the same clock from their start on: start the graph "
                    "again with it, in a block for /** of the parameter file"
                )
        return ""

    def _apply(self, parameters: list[Parameter]) -> None:
        changes = self._changes(parameters)
        if changes:
            self.values = self._validated(changes)
            self._on_change(self.values)
