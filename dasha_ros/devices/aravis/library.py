"""The library, which comes from the distribution and not from PyPI, and its errors."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from dasha_ros.devices.errors import DeviceError, DeviceLost, OutOfRange
from dasha_ros.system.extras import ExtraMissing

VERSION = "0.8"
HOW_TO_INSTALL = "sudo apt install python3-gi gir1.2-aravis-0.8"
DIST_PACKAGES = Path("/usr/lib/python3/dist-packages")
"""Where Debian and Ubuntu put packages for Python; most virtual environments do not look there."""
_WRONG_FEATURE, _NO_FEATURE = 0, 1
_DEVICE_ERRORS = "arv-device-error-quark"
_REFUSED = ("arv-gc-error-quark", "arv-dom-error-quark")
"""Errors of the camera's own description: a value or a feature that it does not have."""


class _DistributionsGi(MetaPathFinder):
    """Finds PyGObject's package ``gi`` in the distribution's folder, and nothing else.

    The folder itself is not put into ``sys.path``: everything that the environment lacks would come from it.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See ``importlib.abc.MetaPathFinder``."""
        return PathFinder.find_spec(fullname, [str(DIST_PACKAGES)]) if fullname == "gi" else None


def why_missing() -> str:
    """Why Aravis can't be used here, and what to do about it; empty if it can."""
    try:
        aravis()
    except ExtraMissing as missing:
        return str(missing)
    return ""


@cache
def aravis() -> Any:
    """The library.

    PyGObject comes from this Python's environment, else from the distribution, if it is made for this Python.

    Raises:
        ExtraMissing: It is not installed; the message says how to install it.
    """
    if find_spec("gi") is None:
        _check_distribution()
    finder = _DistributionsGi()
    # It is asked last, so that the environment's own gi comes first; and by a plain import, which has locks.
    sys.meta_path.append(finder)
    try:
        import gi

        gi.require_version("Aravis", VERSION)
        from gi.repository import Aravis
    except (ValueError, ImportError) as error:
        raise ExtraMissing(f"a GenICam camera needs Aravis {VERSION} ({error}): {HOW_TO_INSTALL}") from error
    finally:
        sys.meta_path.remove(finder)
    return Aravis


def _check_distribution() -> None:
    """Refuse a distribution without PyGObject, or with one whose compiled part is for another Python."""
    compiled = {path.name for path in DIST_PACKAGES.glob("gi/_gi.*")}
    if not compiled:
        raise ExtraMissing(f"a GenICam camera needs PyGObject and Aravis: {HOW_TO_INSTALL}")
    if compiled.isdisjoint(f"_gi{suffix}" for suffix in EXTENSION_SUFFIXES):
        raise ExtraMissing(
            "a GenICam camera needs PyGObject, and python3-gi is not made for Python "
            f"{platform.python_version()} ({', '.join(sorted(compiled))} in {DIST_PACKAGES}): make the "
            "virtual environment with the distribution's own Python, or pip install PyGObject into this one"
        )


@contextmanager
def calls(name: str, doing: str) -> Iterator[None]:
    """Turn Aravis' errors into ours.

    Args:
        name: The camera, for people.
        doing: What is tried, such as ``setting the exposure``.
    """
    aravis()
    from gi.repository import GLib

    try:
        yield
    except GLib.Error as error:
        if error.domain in _REFUSED:
            raise OutOfRange(f"{name} refused {doing}: {error.message}") from error
        if error.domain == _DEVICE_ERRORS and error.code in (_WRONG_FEATURE, _NO_FEATURE):
            raise DeviceError(f"{name} can't do that, {doing}: {error.message}") from error
        raise DeviceLost(
            f"{name} does not answer while {doing} ({error.message}). Check its power and cable, and that no "
            "other program controls it"
        ) from error
