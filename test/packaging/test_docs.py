"""The documentation's site builds without a warning, fetches nothing, and every link leads somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MARKDOWN = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
OUTSIDE = ("http://", "https://", "mailto:")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as ``./scripts/docs`` builds it: strictly."""
    if not find_spec("mkdocs") and not find_spec("ruff"):
        pytest.skip("needs mkdocs: ./scripts/setup --dev installs it, as it does the linters")
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


class _Page(HTMLParser):
    """What a page loads, where it leads, and which anchors it has."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if anchor := values.get("id") or values.get("name"):
            self.anchors.add(anchor)
        if source := values.get("src"):
            self.loads.append(source)
        if target := values.get("href"):
            (self.loads if tag == "link" else self.links).append(target)


def pages(site: Path) -> dict[Path, _Page]:
    return {path: _Page(path) for path in sorted(site.rglob("*.html"))}


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    fetched = {
        f"{path.relative_to(site)}: {source}"
        for path, page in pages(site).items()
        for source in page.loads
        if source.startswith((*OUTSIDE, "//"))
    }
    assert not fetched


def test_every_link_of_the_site_leads_to_a_page_and_its_anchor(site: Path) -> None:
    found = pages(site)
    broken = []
    for path, page in found.items():
        if path.name == "404.html":  # its links count from the root of a server
            continue
        for link in page.links:
            if link.startswith((*OUTSIDE, "//")):
                continue
            file, _, anchor = link.partition("#")
            target = (path.parent / file).resolve() if file else path
            if not target.exists():
                broken.append(f"{path.relative_to(site)}: {link}")
            elif anchor and target in found and anchor not in found[target].anchors:
                broken.append(f"{path.relative_to(site)}: {link} (no such anchor)")
    assert not broken


def test_every_message_parameter_and_command_is_in_the_reference(site: Path) -> None:
    from dasha_ros.config import NODES

    reference = {
        name: (site / "reference" / f"{name}.html").read_text() for name in ("messages", "parameters")
    }
    for path in [*ROOT.glob("msg/*.msg"), *ROOT.glob("action/*.action")]:
        assert f'id="{path.stem.lower()}"' in reference["messages"]
    for node, model in NODES.items():
        assert f'id="{node}"' in reference["parameters"]
        assert all(f"<code>{key}</code>" in reference["parameters"] for key in model.model_fields)
    commands = (site / "reference" / "commands.html").read_text()
    assert all(f"dasha {name}" in commands for name in ("up", "focus", "train focus", "camera snap"))


def test_files_that_a_page_takes_in_are_named_by_marks_that_mkdocs_knows() -> None:
    """What looks like a mark and is none stays in the page as it is, without a warning."""
    marks = {
        mark
        for path in ROOT.joinpath("docs").rglob("*.md")
        for mark in re.findall(r"(?m)^ *-+ *8 *<.*$", path.read_text(encoding="utf-8"))
    }
    assert '--8<-- "examples/own_lens.py"' in marks
    assert not {mark for mark in marks if not re.fullmatch(r' *--8<-- "[\w./]+"', mark)}


def beside_the_site() -> Iterator[Path]:
    """Markdown that a forge shows, from the root of the repository and from its hidden folder."""
    yield from ROOT.glob("*.md")
    yield from (ROOT / ".github").rglob("*.md")


@pytest.mark.parametrize("document", sorted(beside_the_site()), ids=lambda p: str(p.relative_to(ROOT)))
def test_links_of_other_documents_lead_somewhere(document: Path) -> None:
    broken = []
    for link, picture in MARKDOWN.findall(document.read_text(encoding="utf-8")):
        target, _, anchor = (link or picture).partition("#")
        if target.startswith(OUTSIDE) or not target:
            continue
        path = document.parent / target
        if not path.exists():
            broken.append(target)
        elif anchor and path.suffix == ".md" and anchor not in headings(path):
            broken.append(f"{target}#{anchor}")
    assert not broken


def headings(path: Path) -> set[str]:
    """Anchors that a forge makes of a document's headings."""
    titles = re.findall(r"(?m)^#+ (.+)$", path.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def tables_without_a_head(text: str) -> list[int]:
    """Lines that begin a table whose second line is no rule: Markdown shows them with their bars, as text."""
    lines, in_code, found = ["", *text.splitlines(), ""], False, []
    for number, (before, line, after) in enumerate(zip(lines, lines[1:], lines[2:], strict=False), 1):
        in_code ^= line.startswith("```")
        begins = line.startswith("|") and not before.startswith("|") and not in_code
        if begins and not re.fullmatch(r"\|[|:\- ]*-[|:\- ]*", after):
            found.append(number)
    return found


def test_every_table_has_a_head() -> None:
    whole, torn = "| a | b |\n|---|--:|\n| 1 | 2 |\n", "\n| 3 | 4 |\n```\n| x |\n```\n"
    assert tables_without_a_head(whole + torn) == [5]
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")]
    torn_pages = {
        str(page.relative_to(ROOT)): lines
        for page in pages
        if (lines := tables_without_a_head(page.read_text(encoding="utf-8")))
    }
    assert torn_pages == {}
