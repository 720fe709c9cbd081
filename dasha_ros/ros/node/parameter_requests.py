"""Refuses parameter changes of an unknown type, which rclpy would leave unanswered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rcl_interfaces.msg import ParameterType, SetParametersResult
from rcl_interfaces.srv import SetParameters, SetParametersAtomically
from rclpy.node import Node


def reject_unknown_types(node: Node) -> None:
    """Make a node refuse parameter values of unknown types. rclpy (7.1) raises and does not answer."""
    for service in node.services:
        if service.srv_type is SetParameters:
            service.callback = _set_each(service.callback)
        elif service.srv_type is SetParametersAtomically:
            service.callback = _set_all(service.callback)


def _set_each(work: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def answer(request: Any, response: Any) -> Any:
        refusals = [_refusal(parameter) for parameter in request.parameters]
        request.parameters = [p for p, no in zip(request.parameters, refusals, strict=True) if not no]
        results = iter(work(request, response).results)
        response.results = [_no(reason) if reason else next(results) for reason in refusals]
        return response

    return answer


def _set_all(work: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def answer(request: Any, response: Any) -> Any:
        reasons = [reason for parameter in request.parameters if (reason := _refusal(parameter))]
        if not reasons:
            return work(request, response)
        response.result = _no("; ".join(reasons))
        return response

    return answer


def _refusal(parameter: Any) -> str:
    kind = parameter.value.type
    if kind <= ParameterType.PARAMETER_STRING_ARRAY:
        return ""
    return f"parameter {parameter.name} has a value of the unknown type {kind}"


def _no(reason: str) -> SetParametersResult:
    return SetParametersResult(successful=False, reason=reason)
