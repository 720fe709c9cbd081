"""A page of the episodes that failed: where each began, where it ended, and where it should have ended.

One folder: ``index.html`` without scripts, and ``pictures/``, each picture once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.benchmark.rows import Row
from dasha_ros.files.writing import disk_errors, write_whole

PICTURE_WIDTH = 420
"""Width of the pictures [px]."""
JPEG_QUALITY = 85
_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1360px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .3rem; }
.three { display: grid; grid-template-columns: repeat(3, 1fr); gap: .8rem; }
figure { margin: 0; } img { max-width: 100%; height: auto; border-radius: 4px; }
figcaption, p { font-size: .85rem; margin: .2rem 0; } .bad { color: #cf222e; }
"""


class PageError(ValueError):
    """The page can't be written; the message says why."""


@dataclass(frozen=True)
class Shown:
    """One picture of an episode."""

    caption: str
    name: str
    """Names the picture: equal names share one file."""
    make: Callable[[], NDArray[np.uint8]]
    """Makes it: grey, or BGR."""


@dataclass(frozen=True)
class Failure:
    """One failed episode."""

    row: Row
    """See `row.episode_row`."""
    start: Shown
    end: Shown
    best: Shown
    """Where the object is sharpest."""
    unit: str
    """Unit of the positions."""


def failed(row: Row) -> bool:
    """Whether an episode did not end "found" within 2 px."""
    return row["code"] != "NONE" or not row["within_2px"]


def write_page(folder: Path, title: str, rows: Sequence[Row], show: Callable[[Row], Failure]) -> Path:
    """Write the page of the failed ones among some episodes.

    Args:
        folder: Made if it does not exist; files of an older page are replaced.
        title: What was evaluated.
        rows: Rows of episodes.
        show: The pictures of an episode.

    Returns:
        The page.

    Raises:
        PageError: The folder can't be written.
    """
    written: dict[str, str] = {}
    parts = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>",
    ]
    with disk_errors(PageError, folder):
        (folder / "pictures").mkdir(parents=True, exist_ok=True)
        for policy in dict.fromkeys(str(row["policy"]) for row in rows):
            mine = [row for row in rows if row["policy"] == policy]
            bad = [row for row in mine if failed(row)]
            parts.append(f"<h2>{escape(policy)}: {len(bad)} of {len(mine)} episodes failed</h2>")
            for row in bad:
                parts.append(_episode(show(row), folder, written))
        page = folder / "index.html"
        write_whole(page, "\n".join([*parts, "</body>\n</html>\n"]))
    return page


def _episode(failure: Failure, folder: Path, written: dict[str, str]) -> str:
    row = failure.row
    ended = str(row["code"]).lower().replace("_", " ")
    if row["false_found"]:
        ended = "found another one" if row.get("found_another") else "found, but blurred"
    way = ", ".join(f"{position:g}" for position in row["trajectory"])
    figures = "".join(_figure(shown, folder, written) for shown in (failure.start, failure.end, failure.best))
    return (
        f"<h3>{escape(str(row['view']))}, from {row['start']:g} {escape(failure.unit)}: "
        f'<span class="bad">{escape(ended)}</span>, {row["blur_px"]:.1f} px off</h3>\n'
        f'<p>Positions: {way} {escape(failure.unit)}</p>\n<div class="three">{figures}</div>'
    )


def _figure(shown: Shown, folder: Path, written: dict[str, str]) -> str:
    if shown.name not in written:
        name = f"pictures/{len(written):05d}.jpg"
        picture = shown.make()
        height, width = picture.shape[:2]
        if width > PICTURE_WIDTH:
            size = (PICTURE_WIDTH, max(1, round(height * PICTURE_WIDTH / width)))
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
        write_whole(folder / name, encoded.tobytes())
        written[shown.name] = name
    return (
        f'<figure><img loading="lazy" src="{written[shown.name]}" alt="{escape(shown.caption)}">'
        f"<figcaption>{escape(shown.caption)}</figcaption></figure>"
    )
