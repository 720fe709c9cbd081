"""The layout for Foxglove shows topics and fields that the graph has. Foxglove itself is not at hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from dasha_ros.system.paths import checkout_dir, share_dir

LAYOUT = json.loads((share_dir() / "config" / "foxglove" / "dasha.json").read_text(encoding="utf-8"))
ROOT = checkout_dir()
assert ROOT is not None
GRAPH = (ROOT / "docs" / "reference" / "graph.md").read_text(encoding="utf-8")
TOPICS = dict(re.findall(r"(?m)^\| `([\w/]+)`(?:, `[\w/]+`)? \| `([\w/]+)`", GRAPH))
"""Type of each topic, as the reference names it."""


def panels(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if content["type"] == "panel":
        yield content
    for item in content.get("items", ()):
        yield from panels(item["content"])


def paths() -> list[str]:
    """Every path to a topic or a field of one."""
    keys = "value|topicPath|topicToRender|imageTopic"
    return re.findall(rf'"(?:{keys})": "([^"]+)"', json.dumps(LAYOUT))


def test_it_shows_what_the_page_in_the_browser_shows() -> None:
    kinds = [panel["panelType"] for panel in panels(LAYOUT["content"])]
    assert kinds.count("Plot") == 6
    assert {"Image", "RawMessages", "DiagnosticsSummary"} < set(kinds)
    assert len(paths()) == len(kinds) + 1, "the belief has two axes"


@pytest.mark.parametrize("path", paths())
def test_every_path_leads_to_a_field_of_a_topic(path: str) -> None:
    topic, *fields = path.replace("[:]", "").split(".")
    kind = TOPICS[topic.removeprefix("/dasha/")]
    if "/" in kind:
        assert not fields, "a type of another package is shown as a whole"
        return
    definition = ROOT / "msg"
    for field in fields:
        text = (definition / f"{kind}.msg").read_text(encoding="utf-8")
        found = re.search(rf"(?m)^([\w/]+)(\[\d*\])? +{field}\b", text)
        assert found is not None, f"{kind} has no field {field}"
        assert bool(found[2]) == (f"{field}[:]" in path), "an array is shown element by element"
        kind = found[1]
