"""Reads and changes parameters of running nodes, for ``dasha get`` and ``dasha set``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from dasha_ros.cli.terminal.console import Exit, fail

if TYPE_CHECKING:
    from dasha_ros.bringup.graph_client import GraphClient

ANSWER_S = 5.0
"""How long a node may take to be discovered, and again to answer [s]."""

Node = Annotated[str, typer.Argument(help="Name of a node, e.g. twin_world.")]


def parsed(text: str, before: Any) -> Any:
    """Read a value from the command line, of the type that the parameter has now.

    Raises:
        ValueError: The text is not a parameter value.
    """
    if isinstance(before, str):
        return text
    from dasha_ros.config.ros_value import parse_value

    value = parse_value(text)
    if isinstance(before, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def joined(namespace: str) -> GraphClient:
    """Join the graph."""
    from dasha_ros.config import ConfigError

    try:
        from dasha_ros.bringup.graph_client import GraphClient
    except ImportError as error:
        fail(f"{error}. Parameters of running nodes need ROS 2: run ./scripts/setup")
    try:
        return GraphClient(namespace)
    except ConfigError as error:
        fail(str(error), Exit.REFUSED)


def values_of(client: GraphClient, node: str, parameter: str | None) -> dict[str, Any]:
    """The values of one parameter or of all."""
    from rcl_interfaces.srv import GetParameters, ListParameters
    from rclpy.parameter import parameter_value_to_python

    from dasha_ros.config.hints import near
    from dasha_ros.files import version_0_1

    _refuse_bad_name(node)
    listed = client.call(ListParameters, f"{node}/list_parameters", ListParameters.Request(), ANSWER_S)
    if listed is None:
        fail_unanswered(client, node)
    known = sorted(listed.result.names)
    if parameter is not None and parameter not in known:
        hint = version_0_1.parameter(node, parameter) or near(parameter, known)
        fail(f"{node} has no parameter {parameter!r}; {hint}", Exit.REFUSED)
    names = known if parameter is None else [parameter]
    got = client.call(GetParameters, f"{node}/get_parameters", GetParameters.Request(names=names), ANSWER_S)
    if got is None:
        fail_unanswered(client, node)
    return dict(zip(names, map(parameter_value_to_python, got.values), strict=True))


def _refuse_bad_name(node: str) -> None:
    from rclpy.exceptions import InvalidTopicNameException
    from rclpy.validate_topic_name import validate_topic_name

    try:
        validate_topic_name(node)
    except (TypeError, ValueError, InvalidTopicNameException):
        fail(f"{node!r} is not a valid node name: write e.g. twin_world", Exit.REFUSED)


def fail_unanswered(client: GraphClient, node: str) -> NoReturn:
    """End the command because a node does not answer, and say why that may be."""
    from dasha_ros.bringup.graph_client import COMMAND_NODE
    from dasha_ros.config import NODES
    from dasha_ros.config.hints import meant

    inside = client.namespace + "/"
    # Commands are nodes, too, but have no parameters that anybody wants.
    names = {
        name.removeprefix(inside)
        for name in client.node_names()
        if not name.rpartition("/")[2].startswith(COMMAND_NODE)
    }
    if node in names or node in NODES:
        what = f"{node} does not answer in the namespace {client.namespace}: `dasha doctor` says what runs"
    else:
        hint = meant(node, names | NODES.keys()) or (
            f"known: {', '.join(sorted(names))}" if names else "none is there: `dasha up` starts a graph"
        )
        what = f"there is no node {node!r} in the namespace {client.namespace}; {hint}"
    fail(what, Exit.UNREACHABLE)


def shown(value: Any) -> str:
    """A value as in a parameter file, on one line."""
    from dasha_ros.config.ros_value import parameter_text

    plain: Any = value if value is None or isinstance(value, (str, bool, int, float)) else list(value)
    return parameter_text(plain)
