"""Commands whose arguments may be negative numbers, which the parser would take for options."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperCommand

TAKES_THEM = {"ignore_unknown_options": True}
"""Context settings of such a command; its class must be `WithNegativeNumbers`."""


class WithNegativeNumbers(TyperCommand):
    """Takes what begins with one dash as an argument, and refuses unknown options that begin with two."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """See `click.Command.parse_args`."""
        known = [name for option in self.get_params(ctx) for name in (*option.opts, *option.secondary_opts)]
        for word in _before_the_end_of_options(args):
            name = word.partition("=")[0]
            if name.startswith("--") and name not in known:
                near = difflib.get_close_matches(name, [each for each in known if each.startswith("--")])
                hint = f"; do you mean {' or '.join(near)}?" if near else ""
                raise typer.BadParameter(f"there is no such option{hint}", ctx, param_hint=f"'{name}'")
        return super().parse_args(ctx, args)


def _before_the_end_of_options(args: Sequence[str]) -> Sequence[str]:
    return args[: args.index("--")] if "--" in args else args
