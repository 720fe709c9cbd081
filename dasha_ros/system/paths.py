"""Finds the package's data files, in a checkout and in every kind of installation."""

from __future__ import annotations

from pathlib import Path


def share_dir() -> Path:
    """The folder that holds ``config/`` and ``launch/``.

    In a checkout this is the root. ``pip install`` and ``colcon build`` both put the folders into
    ``PREFIX/share/dasha_ros``, and this file somewhere below PREFIX.

    Raises:
        FileNotFoundError: The installation is incomplete.
    """
    # Not resolved: in a symlink install the link, not its target, is below the prefix.
    here = Path(__file__).absolute()
    checkout = here.parents[2]
    if (checkout / "package.xml").is_file() and (checkout / "config").is_dir():
        return checkout
    for prefix in here.parents:
        candidate = prefix / "share" / "dasha_ros"
        if (candidate / "config").is_dir():
            return candidate
    raise FileNotFoundError(
        f"no share/dasha_ros/config beside {here.parent}: the installation is incomplete; "
        "install the package again"
    )


def config_dir() -> Path:
    """The folder of the YAML and JSON files that come with the package (``config/``)."""
    return share_dir() / "config"


def checkout_dir() -> Path | None:
    """The root of the checkout that this code runs from, or ``None`` if the package is installed."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "scripts" / "setup").is_file() and (root / "package.xml").is_file() else None
