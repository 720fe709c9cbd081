"""``dasha assets``: the photographs and models that are fetched, not shipped."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="The photographs and models that are fetched, not shipped.", no_args_is_help=True)

Sets = Annotated[
    list[str] | None, typer.Option("--set", help="An optional set besides base; may be repeated.")
]


def _arguments(sets: list[str] | None) -> list[str]:
    return [text for name in sets or () for text in ("--set", name)]


@app.command()
def fetch(sets: Sets = None) -> None:
    """Fetch what is missing or damaged, by package name, checked by sha256."""
    from dasha_ros.assets.fetch import main

    raise typer.Exit(main(_arguments(sets)))


@app.command()
def check(sets: Sets = None) -> None:
    """Say what is missing or damaged; exit code 1 if anything is."""
    from dasha_ros.assets.fetch import main

    raise typer.Exit(main([*_arguments(sets), "--check"]))


@app.command()
def where() -> None:
    """Print the folder of the fetched files."""
    from dasha_ros.assets.catalogue import assets_dir

    typer.echo(assets_dir())
