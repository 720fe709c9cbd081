"""Models as ONNX Runtime reads them, converted at set-up from the files that packages ship.

``python -m dasha_ros.assets.convert`` converts; running it again repairs.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def convert_all(folder: Path, progress: Callable[[str], None] = lambda _line: None) -> list[Path]:
    """Convert every model that is missing or out of date; the others are left alone.

    Args:
        folder: The assets folder, which holds ``models/`` with the raw files.
        progress: Called with one line per model.

    Returns:
        The converted files.

    Raises:
        ModelError: A raw file is missing, corrupt or another one than was pinned.
    """
    from dasha_ros.assets.convert.convert import convert_all as convert

    return convert(folder, progress)
