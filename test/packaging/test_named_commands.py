"""Commands that documents, examples and forms tell people to type exist, and so do their options."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATTERNS = ("*.md", "docs/**/*.md", "examples/**/*.py", ".github/**/*.md", "config/policies/*.md")
FILES = sorted({path.relative_to(ROOT) for pattern in PATTERNS for path in ROOT.glob(pattern)})
LINE = re.compile(r"^\s*(?:\w+=\S*\s+)*(?:\$ |ros2 run dasha_ros )?(dasha [^#\n]*)", re.MULTILINE)
SPAN = re.compile(r"`(dasha [^`]*)`")


@pytest.fixture(scope="module")
def root() -> Any:
    typer = pytest.importorskip("typer.main", reason="scripts/setup installs typer")
    from dasha_ros.cli import app

    return typer.get_command(app)


def named(text: str) -> list[list[str]]:
    """The words of every command in code blocks and code spans; a backslash joins lines."""
    text = text.replace("\\\n", " ")
    blocks = (
        "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)) + "\n" + docstring(text)
    )
    spans = [" ".join(span.split()) for span in SPAN.findall(text)]
    return [
        shlex.split(command) for command in [*LINE.findall(blocks), *spans] if "|" not in command.split()[1]
    ]


def docstring(text: str) -> str:
    """The first lines of an example."""
    return text.split('"""')[1] if text.startswith('"""') else ""


def wrong(words: list[str], command: Any) -> str:
    """What is wrong with the words of a command; empty when nothing is."""
    said, rest = words[0], words[1:]
    while children := getattr(command, "commands", {}):
        if not rest or rest[0] in ("...", "-h", "--help") or rest[0].isupper() or "|" in rest[0]:
            return ""
        if rest[0] not in children:
            return f"{said} has no command {rest[0]!r}"
        said, command, rest = f"{said} {rest[0]}", children[rest[0]], rest[1:]
    known = {
        option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    given = {word.split("=")[0] for word in rest if re.fullmatch(r"--[a-z][\w-]*(=.*)?|-[a-z]", word)}
    return "".join(f"{said} has no option {option}; " for option in sorted(given - known - {"-h", "--help"}))


def test_what_is_wrong_is_found(root: Any) -> None:
    block = "```\nA=b dasha up --rig twin   # go\ndasha up --wheels 4\ndasha fly\n```\n"
    text = f"{block}`dasha train focus --preset plus`"
    assert [wrong(words, root) for words in named(text)] == [
        "",
        "dasha up has no option --wheels; ",
        "dasha has no command 'fly'",
        "",
    ]


@pytest.mark.parametrize("document", FILES, ids=str)
def test_every_named_command_exists(document: Path, root: Any) -> None:
    commands = named((ROOT / document).read_text(encoding="utf-8"))
    assert not [reason for words in commands if (reason := wrong(words, root))]
