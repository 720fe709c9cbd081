"""Where the package keeps its data files, in a checkout and in every kind of installation."""

from __future__ import annotations

from pathlib import Path


def share_dir() -> Path:
    """The folder that holds ``config/`` and ``launch/``.

    In a checkout this is its root. ``pip install`` and ``colcon build`` both lay
    the folders out as ``PREFIX/share/dasha_ros``, with this file somewhere below PREFIX.

    Raises:
        FileNotFoundError: The installation is incomplete.
    """
    # Not resolved: with a symlink install the link's place, not its target, tells the prefix.
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
    """The folder of YAML and JSON files that ship with the package (``config/``)."""
    return share_dir() / "config"


def checkout_dir() -> Path | None:
    """The root of the checkout that this code runs from, or ``None`` when it is installed."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "scripts" / "setup").is_file() and (root / "package.xml").is_file() else None
