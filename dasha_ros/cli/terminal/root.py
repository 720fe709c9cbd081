"""The root command: what holds for all of its commands, however deep they lie."""

from __future__ import annotations

from typing import Any

from dasha_ros.cli.terminal.console import ends_like_ctrl_c, fail, interrupted
from dasha_ros.cli.terminal.values import ValueNamed


class Root(ValueNamed):
    """Ends every command with a sentence when a signal asks for it.

    Commands that have something to say about their end catch ``KeyboardInterrupt`` themselves.
    """

    def invoke(self, ctx: Any) -> Any:
        """Invoke the command; see `click.Group.invoke`."""
        with ends_like_ctrl_c():
            try:
                return super().invoke(ctx)
            except KeyboardInterrupt as reason:
                fail("interrupted before it was done", interrupted(reason))
