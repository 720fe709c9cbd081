"""``dasha echo``: print a topic, for machines without the ``ros2`` command."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from dasha_ros.cli.terminal.console import Exit, Terminated, err, fail, interrupted
from dasha_ros.cli.terminal.options import Namespace


def echo(
    topic: Annotated[str, typer.Argument(help="Topic; a relative name belongs to the namespace.")],
    once: Annotated[bool, typer.Option("--once", help="Print one message and exit.")] = False,
    no_arr: Annotated[bool, typer.Option("--no-arr", help="Print only the length of arrays.")] = False,
    timeout: Annotated[float, typer.Option(min=0.0, help="Seconds to wait for the topic; 0: forever.")] = 5.0,
    namespace: Namespace = "/dasha",
) -> None:
    """Print the messages of a topic as YAML. Finds the type by itself; latched topics work."""
    from dasha_ros.bringup.graph_client import GraphClient
    from dasha_ros.cli.graph.introspection import (
        BadTopicError,
        as_yaml,
        full_topic_name,
        types_of_topic,
    )
    from dasha_ros.config import ConfigError
    from dasha_ros.ros.recording.schema import UnknownTypeError, message_class
    from dasha_ros.ros.recording.topics import fitting_qos

    try:
        client = GraphClient(namespace)
    except ConfigError as error:
        fail(str(error), Exit.REFUSED)
    with client:
        try:
            name = full_topic_name(client.node, topic)
        except BadTopicError as error:
            fail(str(error), Exit.REFUSED)
        try:
            kinds = client.until(lambda: types_of_topic(client.node, name), timeout or float("inf"))
        except KeyboardInterrupt as reason:
            raise typer.Exit(interrupted(reason)) from None
        if kinds is None:
            fail(
                f"no node publishes {name}. Is the graph running in this ROS_DOMAIN_ID, and is "
                f"{client.namespace} its namespace? `dasha doctor` lists what is visible",
                Exit.UNREACHABLE,
            )
        kind, *others = kinds
        if others:
            sentence = (
                f"nodes publish {name} with several types; shown is {kind}, and not {', '.join(others)}"
            )
            err().print(f"warning: {sentence}", style="yellow")
        try:
            cls = message_class(kind)
        except UnknownTypeError as error:
            fail(str(error))
        printed = 0

        def show(message: Any) -> None:
            nonlocal printed
            if not (once and printed):
                typer.echo(as_yaml(message, arrays=not no_arr) + "---")
                printed += 1

        client.node.create_subscription(cls, name, show, fitting_qos(client.node, name))
        end = time.monotonic() + timeout if once and timeout else float("inf")
        try:
            client.until(lambda: once and printed, end - time.monotonic())
        except KeyboardInterrupt as reason:
            raise typer.Exit(reason.code if isinstance(reason, Terminated) else Exit.OK) from None
        if once and not printed:
            fail(f"{name} ({kind}) is there, but no message came within {timeout:g} s", Exit.UNREACHABLE)
