"""``python -m dasha_ros.report FOLDER > course.svg`` draws the course of a reported goal."""

from __future__ import annotations

import sys
from pathlib import Path

from dasha_ros.report.model import ReportError, load
from dasha_ros.report.page import course

STYLE = (
    "<style>text{font:12px sans-serif}.panel{fill:#fff;stroke:#ccc}.rule{stroke:#bbb;stroke-dasharray:4}"
    "polyline{fill:none;stroke:#1a73e8;stroke-width:1.5}circle{fill:#1a73e8}</style>"
)


def main() -> int:
    """Print the chart of one report."""
    if len(sys.argv) != 2:
        print("usage: python -m dasha_ros.report FOLDER", file=sys.stderr)
        return 2
    try:
        svg = course(load(Path(sys.argv[1])))
    except ReportError as error:
        print(error, file=sys.stderr)
        return 1
    opening, rest = svg.split(">", 1)
    print(f'{opening} xmlns="http://www.w3.org/2000/svg">{STYLE}{rest}')
    return 0


if __name__ == "__main__":
    sys.exit(main())
