"""Optotune's package, which is not on PyPI: whether it is here, and its classes."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from dasha_ros.devices.optotune.icc.boards import IccBoard
from dasha_ros.system.extras import ExtraMissing

PACKAGES = ("optoICC", "optoKummenberg")
"""The second one comes with the first."""
HOW_TO_INSTALL = (
    "it is not on PyPI: register at optotune.com, download the Python SDK of the controller, and in the"
    " environment of dasha_ros pip install the two wheels in it, optoKummenberg and optoICC"
)
_CLASSES = {"icc-1c": ("optoICC.icc1c", "ICC1cBoard"), "icc-4c": ("optoICC.icc4c", "ICC4cBoard")}


def check_installed() -> None:
    """Check that the package is there, without importing it.

    Raises:
        ExtraMissing: It is not installed; the message says where to get it.
    """
    missing = [package for package in PACKAGES if find_spec(package) is None]
    if missing:
        raise _missing(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed")


def board_class(board: IccBoard) -> Any:
    """The package's class of a controller (optoICC 2.0: ``ICC1cBoard`` and ``ICC4cBoard``).

    Raises:
        ExtraMissing: The package is not installed, or it is one without this class.
    """
    check_installed()
    module, name = _CLASSES[board.controller]
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise _missing(f"the one that is installed has no {module}.{name} ({error})") from error


def _missing(what: str) -> ExtraMissing:
    return ExtraMissing(
        f"a lens at an ICC-1C or ICC-4C needs Optotune's package optoICC, 2.0 or later, and {what};"
        f" {HOW_TO_INSTALL}"
    )
