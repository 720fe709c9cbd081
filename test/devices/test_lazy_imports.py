"""Whoever has no hardware pays nothing for it: the SDKs are imported only when a device is opened."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

import dasha_ros.devices

MODULES = [
    info.name
    for info in pkgutil.walk_packages(dasha_ros.devices.__path__, "dasha_ros.devices.")
    if not info.ispkg
]


@pytest.mark.parametrize("module", MODULES)
def test_no_sdk_is_imported_with_a_back_end(module: str) -> None:
    program = (
        f"import sys, {module}\n"
        "heavy = {'pypylon', 'serial', 'linuxpy', 'indipyclient', 'optoICC'}\n"
        "heavy |= {'matplotlib', 'torch', 'onnxruntime'}\n"
        "heavy &= set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=600)
