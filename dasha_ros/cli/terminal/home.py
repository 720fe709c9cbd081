"""Paths that users give: ``~`` at the beginning is the home folder.

A shell replaces it in ``--out ~/run``, but not in ``--out=~/run``, which would make a folder named ``~``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import typer

from dasha_ros.files.naming import expanded


def take_home(app: typer.Typer) -> None:
    """Have all commands of an app get paths with the home folder in place of ``~``."""
    for command in app.registered_commands:
        if command.callback is not None:
            command.callback = _with_paths_expanded(command.callback)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            take_home(group.typer_instance)


def _with_paths_expanded(command: Callable[..., Any]) -> Callable[..., Any]:
    defaults = {name: each.default for name, each in inspect.signature(command).parameters.items()}

    @wraps(command)
    def called(**values: Any) -> Any:
        # A default below the home folder has a place of its own where there is none; see `system.folders`.
        given = {name: _expanded(value) for name, value in values.items() if value != defaults[name]}
        return command(**{**values, **given})

    return called


def _expanded(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(map(_expanded, value))
    return expanded(value, typer.BadParameter) if isinstance(value, Path) else value
