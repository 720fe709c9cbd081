"""Whoever has no hardware pays nothing for it: the SDKs are imported only when a device is opened."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module", ["varioptic", "pylon", "bench", "calibration", "fake", "preview", "pylon_discovery"]
)
def test_no_sdk_is_imported_with_a_back_end(module: str) -> None:
    program = (
        f"import sys, dasha_ros.devices.{module}\n"
        "heavy = {'pypylon', 'serial', 'matplotlib', 'torch', 'onnxruntime'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
