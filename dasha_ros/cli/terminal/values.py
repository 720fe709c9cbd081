"""Names the value in the message about an option or argument that can't be read."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup


class ValueNamed(TyperGroup):
    """A group of commands: newer versions of typer leave the value out of what they say about it."""

    def invoke(self, ctx: Any) -> Any:
        """Invoke the command; see `click.Group.invoke`."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            # pydantic's error, from which typer makes its own; older versions name the value themselves.
            details = getattr(error.__cause__, "errors", None)
            for detail in details(include_url=False)[:1] if callable(details) else ():
                error.message = f"{detail['input']!r}: {_PLAIN.get(detail['type'], error.message)}"
            raise


_PLAIN = {
    "float_parsing": "a number is needed, without a unit",
    "int_parsing": "a whole number is needed, without a unit",
    "int_from_float": "a whole number is needed",
}
"""What pydantic says to programmers, for everybody."""
