"""The lens driver on a machine whose USB bridges have the serial numbers that a file says.

A pseudo-terminal has none; everything else is real pyserial.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from serial.tools import list_ports

from dasha_ros.nodes import lens_driver

ORDERS = Path(os.environ["DASHA_TEST_BENCH"])


def comports(include_links: bool = False) -> list[Any]:
    number = json.loads(ORDERS.read_text())["lens_serial_number"]
    return [SimpleNamespace(device=os.environ["DASHA_TEST_PORT"], serial_number=number)]


list_ports.comports = comports

if __name__ == "__main__":
    lens_driver.main(sys.argv)
