"""The reference of the command line, from the help of ``dasha`` and all its commands."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

INTRODUCTION = """\
# The `dasha` command

Generated from the command's own help. Every command accepts `-h`.
"""


def page(root: Path) -> str:
    """The page's Markdown: one section for each command."""
    import typer.main

    from dasha_ros.cli import app

    return "\n".join([INTRODUCTION, *_sections(typer.main.get_command(app), "dasha", parent=None)])


def _sections(command: Any, name: str, parent: Any) -> list[str]:
    context = command.context_class(command, info_name=name.rsplit(" ", 1)[-1], parent=parent)
    children = getattr(command, "commands", {})
    if children:
        nested = [_sections(child, f"{name} {key}", context) for key, child in sorted(children.items())]
        about = [] if parent is None else [f"## {name}\n\n{_text(command.help)}\n"]
        return about + [section for sections in nested for section in sections]
    level = "##" if name.count(" ") == 1 else "###"
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    return [f"{level} {name}\n\n{_text(command.help)}\n\n```text\n{usage}\n```\n\n{_table(command, context)}"]


def _table(command: Any, context: Any) -> str:
    records = [record for parameter in command.params if (record := parameter.get_help_record(context))]
    rows = [f"| `{_cell(names)}` | {_cell(meaning).replace('<', '&lt;')} |" for names, meaning in records]
    return "\n".join(["| argument or option | meaning |", "|---|---|", *rows, ""]) if rows else ""


def _text(help_text: str | None) -> str:
    return inspect.cleandoc(help_text or "").replace("\b", "").strip()


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", r"\|").strip()
