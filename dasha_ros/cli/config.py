"""``dasha config``: every parameter of every node."""

from __future__ import annotations

import typer


def config() -> None:
    """Print every parameter with its default, unit and bounds: a file to start from."""
    from dasha_ros.config import as_yaml

    typer.echo(as_yaml(), nl=False)
