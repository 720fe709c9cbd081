"""A hook of mkdocs that adds pages generated from the sources."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

import commands  # noqa: E402 - needs the path above
import copies  # noqa: E402
import interfaces  # noqa: E402
import parameters  # noqa: E402

PAGES = {
    "reference/messages.md": interfaces.page,
    "reference/parameters.md": parameters.page,
    "reference/commands.md": commands.page,
    "reference/presets.md": copies.presets,
    "reference/policies.md": copies.policies,
    "reference/changelog.md": copies.changelog,
}
"""Pages by their path in the site. Each function gets the repository's root and returns Markdown."""


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages to those in ``docs/``."""
    for place, page in PAGES.items():
        files.append(File.generated(config, place, content=page(ROOT)))
    return files
