"""How figures are made and written."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from dasha_ros.files.writing import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(width_in: float, height_in: float) -> Figure:
    """An empty figure for the page [inch]; no window is opened."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib.figure import Figure

    return Figure(figsize=(width_in, height_in), layout="constrained")


def save(figure: Figure, name: str, folder: Path) -> list[Path]:
    """Write ``NAME.svg`` and ``NAME.png``. The same numbers give the same file, and text stays text.

    Raises:
        OSError: The folder can't be written, or its disk is full: then no figure is cut off.
    """
    import matplotlib

    svg, png = io.BytesIO(), io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        figure.savefig(svg, format="svg", metadata={"Date": None})
        figure.savefig(png, format="png", dpi=130)
    written = {folder / f"{name}.svg": svg, folder / f"{name}.png": png}
    for path, content in written.items():
        write_whole(path, content.getvalue())
    return list(written)
