"""``dasha get``: parameters of a running node, for machines without the ``ros2`` command."""

from __future__ import annotations

from typing import Annotated

import typer

from dasha_ros.cli.graph.node_parameters import Node, joined, shown, values_of
from dasha_ros.cli.terminal.console import out
from dasha_ros.cli.terminal.options import Namespace


def get(
    node: Node,
    parameter: Annotated[str | None, typer.Argument(help="Default: all parameters of the node.")] = None,
    namespace: Namespace = "/dasha",
) -> None:
    """Print the parameters of a running node.

    Exit codes: 2 there is no such parameter; 3 the node does not answer.
    """
    with joined(namespace) as client:
        values = values_of(client, node, parameter)
    for name, value in values.items():
        out().print(f"{name}: {shown(value)}" if parameter is None else shown(value))
