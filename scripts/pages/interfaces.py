"""The reference of messages and actions, from the files in ``msg/`` and ``action/`` with their comments."""

from __future__ import annotations

import re
from pathlib import Path

INTRODUCTION = """\
# Messages and actions

The files as they are built. A comment after a field explains that field; comments at the top explain the
message. Topics and who publishes them are in [The graph](graph.md).
"""
PARTS = ("Goal", "Result", "Feedback")


def page(root: Path) -> str:
    """The page's Markdown: actions first, then messages, each with a heading."""
    sections = [INTRODUCTION]
    for folder, title in (("action", "Actions"), ("msg", "Messages")):
        sections.append(f"## {title}\n")
        sections += [
            _section(path) for path in sorted((root / folder).iterdir()) if path.suffix[1:] == folder
        ]
    return "\n".join(sections)


def _section(path: Path) -> str:
    about, fields = _split(path.read_text(encoding="utf-8"))
    title = f"### {path.stem}\n\n{about}\n"
    if path.suffix == ".msg":
        return f"{title}\n{_fenced(fields)}"
    # Only the first part's comment is moved before its fields; the other comments stay in place.
    parts = zip(PARTS, re.split(r"(?m)^---\n?", fields), strict=True)
    return title + "".join(f"\n{name}:\n\n{_fenced(text)}" for name, text in parts)


def _split(text: str) -> tuple[str, str]:
    """The comment at the top as a paragraph, and the rest."""
    lines = text.splitlines()
    top = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return " ".join(line.lstrip("# ").rstrip() for line in lines[:top]), "\n".join(lines[top:]) + "\n"


def _fenced(text: str) -> str:
    return f"```text\n{text.strip()}\n```\n" if text.strip() else "*(nothing)*\n"
