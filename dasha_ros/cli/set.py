"""``dasha set``: change a parameter of a running node, for machines without the ``ros2`` command."""

from __future__ import annotations

import re
from shlex import quote
from typing import Annotated

import typer

from dasha_ros.cli.graph.node_parameters import (
    ANSWER_S,
    Node,
    fail_unanswered,
    joined,
    parsed,
    shown,
    values_of,
)
from dasha_ros.cli.terminal.console import Exit, fail, out
from dasha_ros.cli.terminal.options import Namespace

_READ_ONLY = "read-only parameter"
"""In rclpy's words for a parameter that is declared so."""
_BEYOND = re.compile(r"Parameter \S+ out of range\.? Min: (\S+), Max: (\S+), value: ")
_OTHER_TYPE = re.compile(r"Wrong parameter type, expected 'Type\.(\w+)' got ")
"""rclpy's words for a number beyond its bounds, and for a value of another type."""
_TYPES = {
    "BOOL": "true or false",
    "INTEGER": "a whole number",
    "DOUBLE": "a number",
    "STRING": "a word",
    "BOOL_ARRAY": "a list of true and false",
    "INTEGER_ARRAY": "a list of whole numbers",
    "DOUBLE_ARRAY": "a list of numbers",
    "STRING_ARRAY": "a list of words",
}


def _plain(reason: str, given: str) -> str:
    """A node's reason for a refusal, in words that name what was ``given`` where rclpy's own don't."""
    if beyond := _BEYOND.match(reason):
        return f"{given} is not in {beyond[1]}..{beyond[2]}"
    if other := _OTHER_TYPE.match(reason):
        return f"{given} is not {_TYPES.get(other[1], other[1])}"
    return reason


def set_parameter(
    node: Node,
    parameter: Annotated[str, typer.Argument(help="Name of the parameter.")],
    value: Annotated[str, typer.Argument(help="Written as in a parameter file.")],
    namespace: Namespace = "/dasha",
) -> None:
    """Change a parameter of a running node.

    Exit codes: 1 the node refused, with its reason; 2 there is no such parameter; 3 the node does
    not answer.
    """
    from rcl_interfaces.srv import SetParameters
    from rclpy.parameter import Parameter

    with joined(namespace) as client:
        before = values_of(client, node, parameter)[parameter]
        try:
            wanted = Parameter(parameter, value=parsed(value, before)).to_parameter_msg()
        except (TypeError, ValueError, OverflowError, AssertionError):
            fail(f"{value!r} is not a parameter value: write a number, a word or a list", Exit.REFUSED)
        request = SetParameters.Request(parameters=[wanted])
        answer = client.call(SetParameters, f"{node}/set_parameters", request, ANSWER_S)
        if answer is None:
            fail_unanswered(client, node)
        (result,) = answer.results
        if not result.successful and _READ_ONLY in result.reason:
            bare = node.rpartition("/")[2]
            fail(
                f"{parameter} of {node} stays as it was at the start: give it in a parameter file or with "
                f"`dasha up --set {quote(f'{bare}.{parameter}={value}')}`, and start the graph again"
            )
        if not result.successful:
            fail(
                _plain(result.reason, f"{node}: {parameter} = {value}")
                or f"{node} refused it without a reason"
            )
        after = values_of(client, node, parameter)[parameter]
    out().print(f"{node}: {parameter} = {shown(after)}, was {shown(before)}")
