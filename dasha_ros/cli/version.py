"""``dasha version``: the version of this package."""

from __future__ import annotations

import typer


def version() -> None:
    """Print the version."""
    from dasha_ros import __version__

    typer.echo(__version__)
