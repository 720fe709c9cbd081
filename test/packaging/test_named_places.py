"""Documents that name a module, a file or a folder name one that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HISTORY = {"docs/how-to/migrate-to-0.2.md"}
"""These name what was there before."""
DOCUMENTS = sorted(
    {str(path.relative_to(ROOT)) for pattern in ("*.md", "docs/**/*.md") for path in ROOT.glob(pattern)}
    - HISTORY
)
MODULE = re.compile(r"\bdasha_ros(?:\.[a-z_0-9]+)+")
CODE = re.compile(r"`([^`\n]+)`")
PLACE = re.compile(r"[\w.-]+(?:/[\w.-]+)*/?")
FOLDERS = {
    "dasha_ros",
    "config",
    "docs",
    "examples",
    "launch",
    "msg",
    "action",
    "requirements",
    "scripts",
    "test",
}
BUILT = {"dasha_ros.msg", "dasha_ros.action"}


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def wrong_modules(text: str) -> list[str]:
    """Names below the package that are neither a module nor something in one."""
    names = set(MODULE.findall(text)) - BUILT
    parents = {name: name.rpartition(".")[0] for name in names}
    return sorted(
        n for n in names if not is_module(n) and parents[n] != "dasha_ros" and not is_module(parents[n])
    )


def wrong_places(text: str) -> list[str]:
    """Paths in code spans that lead nowhere: those in a folder of the repository, and Python files."""
    spans = {span for span in CODE.findall(text) if "/" in span and PLACE.fullmatch(span)}
    ours = {span for span in spans if span.split("/")[0] in FOLDERS or span.endswith(".py")}
    return sorted(s for s in ours if not ((ROOT / s).exists() or (ROOT / "dasha_ros" / s).exists()))


def test_what_is_wrong_is_found() -> None:
    text = "`dasha_ros.no_such.thing`, `dasha_ros.client.FocusClient`, `config/none.yaml`, `control/rig.py`"
    assert wrong_modules(text) == ["dasha_ros.no_such.thing"]
    assert wrong_places(text) == ["config/none.yaml"]
    assert wrong_places("`perception/percept` is a topic, `control/rag.py` a file") == ["control/rag.py"]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_named_place_exists(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    assert not wrong_modules(text)
    assert not wrong_places(text)
