"""The camera driver with pylon's emulated camera on a bench: a file says what is wrong with it.

Prints every call of the SDK that another thread than the driver's own makes.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from dasha_ros.devices.pylon.camera import PylonCamera
from dasha_ros.emulators.camera.bench import CameraBench
from dasha_ros.nodes import camera_driver
from dasha_ros.ros.driver_nodes import backends

ORDERS = Path(os.environ["DASHA_TEST_BENCH"])
LOOK_S = 0.01
bench = CameraBench()


class Witnessed:
    """pylon's camera, which records the threads that call it."""

    def __init__(self, camera: Any) -> None:
        self._camera = camera

    def __getattr__(self, name: str) -> Any:
        if threading.current_thread().name != "camera":
            print(f"SDK call {name} in thread {threading.current_thread().name}", flush=True)
        return getattr(self._camera, name)


def obey(orders: dict[str, Any], before: dict[str, Any]) -> None:
    """Apply the orders; ``damaged_frames`` and ``stream_deaths`` take effect when their number changes."""
    new = {name: value for name, value in orders.items() if before.get(name) != value}
    for name in new.keys() & vars(bench).keys() - {"plugged"}:
        setattr(bench, name, new[name])
    if "damaged_frames" in new:
        bench.damage_frames(new["damaged_frames"])
    if "stream_deaths" in new:
        bench.kill_stream()
    if orders.get("plugged", True) and not bench.plugged:
        bench.plug()
    elif not orders.get("plugged", True) and bench.plugged:
        bench.unplug()


def watch() -> None:
    """Follow the file."""
    orders: dict[str, Any] = {}
    while not threading.Event().wait(LOOK_S):
        before, orders = orders, json.loads(ORDERS.read_text())
        obey(orders, before)


def camera_backend(config: Any, clock: Any, node: Any) -> PylonCamera:
    made = backends.camera_backend(config, clock)
    made._attach = lambda address: Witnessed(bench.attach(address))
    return made


camera_driver.camera_backend = camera_backend

if __name__ == "__main__":
    threading.Thread(target=watch, name="bench", daemon=True).start()
    camera_driver.main(sys.argv)
