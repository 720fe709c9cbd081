"""How figures are made and written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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
        OSError: The folder can't be written.
    """
    import matplotlib

    written = [folder / f"{name}.svg", folder / f"{name}.png"]
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        figure.savefig(written[0], metadata={"Date": None})
        figure.savefig(written[1], dpi=130)
    return written
