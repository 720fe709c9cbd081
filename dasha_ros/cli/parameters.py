"""``dasha get``, ``dasha set``: parameters of running nodes, for machines without the ``ros2`` command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dasha_ros.cli.terminal.console import Exit, fail, out
from dasha_ros.cli.terminal.options import Namespace

if TYPE_CHECKING:
    from dasha_ros.bringup.watcher import Client

ANSWER_S = 5.0
"""How long a node may take to be found, and again to answer."""

Node = Annotated[str, typer.Argument(help="Name of a node, e.g. twin_world.")]


def get(
    node: Node,
    parameter: Annotated[str | None, typer.Argument(help="Left out: all of the node.")] = None,
    namespace: Namespace = "/dasha",
) -> None:
    """Print the parameters of a running node.

    Exit codes: 2 there is no such parameter; 3 the node does not answer.
    """
    with _client(namespace) as client:
        values = _values(client, node, parameter)
    for name, value in values.items():
        out().print(f"{name}: {_text(value)}" if parameter is None else _text(value), markup=False)


def set_parameter(
    node: Node,
    parameter: Annotated[str, typer.Argument(help="Name of the parameter.")],
    value: Annotated[str, typer.Argument(help="As in a file of parameters.")],
    namespace: Namespace = "/dasha",
) -> None:
    """Change a parameter of a running node.

    Exit codes: 1 the node refused, with its reason; 2 there is no such parameter; 3 the node does
    not answer.
    """
    from rcl_interfaces.srv import SetParameters
    from rclpy.parameter import Parameter

    with _client(namespace) as client:
        before = _values(client, node, parameter)[parameter]
        try:
            wanted = Parameter(parameter, value=parsed(value, before)).to_parameter_msg()
        except (TypeError, ValueError, OverflowError, AssertionError):
            fail(f"{value!r} is no value of a parameter: write a number, a word, or a list", Exit.REFUSED)
        request = SetParameters.Request(parameters=[wanted])
        answer = client.call(SetParameters, f"{node}/set_parameters", request, ANSWER_S)
        if answer is None:
            fail(_silent(client, node), Exit.UNREACHABLE)
        (result,) = answer.results
        if not result.successful:
            fail(result.reason or f"{node} refused it without a reason")
        after = _values(client, node, parameter)[parameter]
    out().print(f"{node}: {parameter} = {_text(after)}, was {_text(before)}", markup=False)


def parsed(text: str, before: Any) -> Any:
    """A value from a command line, of the kind that the parameter has now.

    Raises:
        ValueError: No value of a parameter.
    """
    if isinstance(before, str):
        return text
    from dasha_ros.config.ros_value import parse_value

    value = parse_value(text)
    if isinstance(before, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _client(namespace: str) -> Client:
    from dasha_ros.config import ConfigError

    try:
        from dasha_ros.bringup.watcher import Client
    except ImportError as error:
        fail(f"{error}. Parameters of running nodes need ROS 2: run ./scripts/setup")
    try:
        return Client(namespace)
    except ConfigError as error:
        fail(str(error), Exit.REFUSED)


def _values(client: Client, node: str, parameter: str | None) -> dict[str, Any]:
    """The values of one parameter or of all."""
    from rcl_interfaces.srv import GetParameters, ListParameters
    from rclpy.parameter import parameter_value_to_python

    from dasha_ros.config.hints import near

    _refuse_bad_name(node)
    listed = client.call(ListParameters, f"{node}/list_parameters", ListParameters.Request(), ANSWER_S)
    if listed is None:
        fail(_silent(client, node), Exit.UNREACHABLE)
    known = sorted(listed.result.names)
    if parameter is not None and parameter not in known:
        fail(f"{node} has no parameter {parameter!r}; {near(parameter, known)}", Exit.REFUSED)
    names = known if parameter is None else [parameter]
    got = client.call(GetParameters, f"{node}/get_parameters", GetParameters.Request(names=names), ANSWER_S)
    if got is None:
        fail(_silent(client, node), Exit.UNREACHABLE)
    return dict(zip(names, map(parameter_value_to_python, got.values), strict=True))


def _refuse_bad_name(node: str) -> None:
    from rclpy.exceptions import InvalidTopicNameException
    from rclpy.validate_topic_name import validate_topic_name

    try:
        validate_topic_name(node)
    except (ValueError, InvalidTopicNameException):
        fail(f"{node!r} is no name of a node: write e.g. twin_world", Exit.REFUSED)


def _silent(client: Client, node: str) -> str:
    """Why a node may not answer."""
    from dasha_ros.config import NODES
    from dasha_ros.config.hints import near

    inside = client.namespace + "/"
    names = {name.removeprefix(inside) for name in client.node_names()} - {client.node.get_name()}
    if node in names or node in NODES:
        return f"{node} does not answer in the namespace {client.namespace}: `dasha doctor` says what runs"
    return (
        f"there is no node {node!r} in the namespace {client.namespace}; {near(node, names | NODES.keys())}"
    )


def _text(value: Any) -> str:
    """A value as a file of parameters has it, in one line."""
    from dasha_ros.config.ros_value import parameter_text

    plain: Any = value if value is None or isinstance(value, (str, bool, int, float)) else list(value)
    return parameter_text(plain)
