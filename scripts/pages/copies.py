"""Pages made of files in the repository: presets, the policies' cards and the changelog."""

from __future__ import annotations

import re
from pathlib import Path


def presets(root: Path) -> str:
    """Every preset of learning, as in ``config/presets``."""
    text = (
        "# Presets of learning\n\nThe files in `config/presets`. A YAML file of yours with `extends: plus` "
        "and the keys to change is a preset, too: [Learn](../how-to/learn.md).\n"
    )
    for path in sorted((root / "config" / "presets").glob("*.yaml")):
        text += f"\n## {path.stem}\n\n```yaml\n{path.read_text(encoding='utf-8').strip()}\n```\n"
    return text


def policies(root: Path) -> str:
    """The card of every shipped policy: how it was trained, and its results."""
    text = "# The shipped policies\n\nTheir cards, from `config/policies`.\n"
    for path in sorted((root / "config" / "policies").glob("*.md")):
        card = path.read_text(encoding="utf-8").replace("../../docs/", "../")
        text += "\n" + re.sub(r"(?m)^(?=#+ )", "#", card)
    return text


def changelog(root: Path) -> str:
    """``CHANGELOG.rst``, which ROS tools read, as Markdown."""
    lines = (root / "CHANGELOG.rst").read_text(encoding="utf-8").splitlines()
    made = ["# Changelog", ""]
    for line, under in zip(lines[3:], [*lines[4:], ""], strict=True):
        if under and set(under) == {"-"}:
            made += [f"## {line}", ""]
        elif re.fullmatch(r"\* \w+:", line):
            made += [f"### {line[2:-1]}", ""]
        elif not (line and set(line) <= set("-^")):
            made.append(line.removeprefix("  ").replace("``", "`"))
    return "\n".join(made) + "\n"
