"""Floor 3. Converts the model files that packages ship into files for ONNX Runtime, at set-up.

``python -m dasha_ros.assets.convert`` converts; running it again repairs missing or damaged files.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def convert_all(folder: Path, progress: Callable[[str], None] = lambda _line: None) -> list[Path]:
    """Convert every model that is missing or out of date.

    Models of an optional set are left out where their raw files were not fetched.

    Args:
        folder: The assets folder, which holds ``models/`` with the raw files.
        progress: Called with one line per model.

    Returns:
        The converted files.

    Raises:
        ModelError: A raw file is missing, corrupt, or not the pinned one.
    """
    from dasha_ros.assets.convert.convert import convert_all as convert

    return convert(folder, progress)
