"""Options that the user gave although they mean nothing beside the others."""

from __future__ import annotations

from collections.abc import Collection

import typer

from dasha_ros.cli.terminal.console import Exit, fail


def given(context: typer.Context, name: str) -> str:
    """The option of a parameter if the user gave it; empty if it has its default."""
    source = context.get_parameter_source(name)
    if source is None or source.name != "COMMANDLINE":
        return ""
    option = next(p for p in context.command.params if p.name == name)
    return "/".join((option.opts[0], *option.secondary_opts[:1]))


def refuse_given(context: typer.Context, names: Collection[str], where: str) -> None:
    """End the command if one of these options was given.

    Args:
        context: Of the command.
        names: Of parameters.
        where: Beside what they mean nothing, as ``--recover``.
    """
    for name in names:
        if option := given(context, name):
            fail(f"{option} does not apply to {where}", Exit.REFUSED)


def refuse_all_given(context: typer.Context, allowed: Collection[str], where: str) -> None:
    """End the command if an option was given that is not among the allowed parameters."""
    refuse_given(context, [str(p.name) for p in context.command.params if p.name not in allowed], where)
