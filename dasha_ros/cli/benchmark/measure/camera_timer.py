"""Times the camera driver of a graph: pictures on command, and the preview."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sensor_msgs.msg import CameraInfo, Image

from dasha_ros.cli.benchmark.measure.commander import WARM_UP, Commander, quantiles
from dasha_ros.cli.graph.ready import GraphError
from dasha_ros.ros.actuation.settlement import Sent
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.stamps import to_ns
from dasha_ros.ros.validation.subscribe import subscribe, subscribe_timed

EXPOSURES_US = (4_000.0, 5_000.0)
"""Used in turn, so that every command changes the exposure."""
PREVIEW_EXPOSURE_US = 10_000.0
WARM_UP_S = 3.0


class CameraTimer:
    """Times pictures, one measurement at a time.

    Args:
        commander: Commands the graph.
        pids: Processes of the graph by name.
    """

    def __init__(self, commander: Commander, pids: Mapping[str, int]) -> None:
        self._commander, self._pids = commander, {**pids, "subscriber": os.getpid()}
        self._arrived: dict[int, int] = {}
        """Arrival of each image by its stamp [ns]."""
        self._published: dict[int, int] = {}
        """When the driver had published each image, by its stamp [ns]."""

    def _on_image(self, image: Image) -> None:
        self._arrived[to_ns(image.header.stamp)] = time.time_ns()

    def _on_camera_info(self, info: CameraInfo, sent_ns: int) -> None:
        # The driver sends this after the call that published the image has returned.
        self._published[to_ns(info.header.stamp)] = sent_ns

    @contextmanager
    def _images(self) -> Iterator[None]:
        """Subscribe to images only while they are timed, because they cost time."""
        node = self._commander.client.node
        topics = [
            subscribe(node, Image, "camera/image_raw", self._on_image, qos.IMAGE),
            subscribe_timed(node, CameraInfo, "camera/camera_info", self._on_camera_info, qos.CAPTURE),
        ]
        try:
            yield
        finally:
            for topic in topics:
                node.destroy_subscription(topic)

    def pictures(self, count: int) -> dict[str, Any]:
        """Time pictures that were commanded, from trigger to message, without the exposure.

        Returns:
            - ``in_hand_ms_p50``: until the image message is filled
            - ``published_ms_p50``, ``published_ms_p95``: until it is published
            - ``received_ms_p50``, ``received_ms_p95``: until this process has it
            - ``commanded_ms_p50``: from the command to the message here, without the exposure
            - ``missed``: pictures that did not reach this process

        Raises:
            GraphError: The camera does not answer.
        """
        with self._images():
            return self._pictures(count)

    def _pictures(self, count: int) -> dict[str, Any]:
        in_hand, published, received, commanded, missed = [], [], [], [], 0
        own = self._commander.actuators
        self._commander.meet(lambda: own.send_exposure(EXPOSURES_US[1]), self._shows)
        for i in range(WARM_UP + count):
            exposure_us = EXPOSURES_US[i % len(EXPOSURES_US)]
            sent = own.send_exposure(exposure_us)
            self._commander.until(partial(self._shows, sent), "the camera driver does not answer")
            capture = own.capture
            assert capture is not None
            self._commander.client.until(partial(self._has_heard_of, capture.stamp_ns), 1.0)
            self._commander.rest(sent, 0)
            if i < WARM_UP:
                continue
            exposure_ns = capture.exposure_us * 1e3
            in_hand.append(capture.ready_ns - capture.stamp_ns - exposure_ns)
            if (published_ns := self._published.get(capture.stamp_ns)) is not None:
                published.append(published_ns - capture.stamp_ns - exposure_ns)
            if (arrived_ns := self._arrived.get(capture.stamp_ns)) is None:
                missed += 1
                continue
            received.append(arrived_ns - capture.stamp_ns - exposure_ns)
            commanded.append(arrived_ns - sent.at_ns - exposure_ns)
        return {
            "in_hand_ms_p50": quantiles("", in_hand)["_ms_p50"],
            **quantiles("published", published),
            **quantiles("received", received),
            "commanded_ms_p50": quantiles("", commanded)["_ms_p50"],
            "missed": missed,
        }

    def preview(self, rate_hz: float, seconds: float) -> dict[str, Any]:
        """Let the camera stream, and watch.

        Returns:
            - ``fps``: of images that reached this process
            - ``age_ms_p50``, ``age_ms_p95``: from the start of the exposure to the message here
            - ``exposure_ms``: the exposure included in it
            - ``growth_ms``: median age of the last quarter less that of the first
            - ``cpu_percent``: load of one core, for each process above 1 %

        Raises:
            GraphError: There is no preview.
        """
        with self._images():
            return self._preview(rate_hz, seconds)

    def _has_heard_of(self, stamp_ns: int) -> bool:
        return stamp_ns in self._arrived and stamp_ns in self._published

    def _preview(self, rate_hz: float, seconds: float) -> dict[str, Any]:
        self._commander.actuators.send_exposure(PREVIEW_EXPOSURE_US)
        self._commander.set_parameters("camera_driver", preview_rate_hz=rate_hz)
        self._commander.client.until(lambda: False, WARM_UP_S)
        self._arrived.clear()
        began, before = time.monotonic(), self._cpu_s()
        self._commander.client.until(lambda: False, seconds)
        passed_s = time.monotonic() - began
        cpu = {name: 100 * (now - before[name]) / passed_s for name, now in self._cpu_s().items()}
        self._commander.set_parameters("camera_driver", preview_rate_hz=0.0)
        seen = sorted(self._arrived.items())
        if len(seen) < 8:
            raise GraphError(f"{len(seen)} preview images in {seconds:g} s")
        ages = [(arrived - stamp) / 1e6 for stamp, arrived in seen]
        quarter = len(ages) // 4
        return {
            "asked_fps": rate_hz,
            "fps": round((len(seen) - 1) / ((seen[-1][1] - seen[0][1]) / 1e9), 2),
            **quantiles("age", [age * 1e6 for age in ages]),
            "exposure_ms": PREVIEW_EXPOSURE_US / 1e3,
            "growth_ms": round(float(np.median(ages[-quarter:]) - np.median(ages[:quarter])), 2),
            "cpu_percent": {name: round(share, 1) for name, share in cpu.items() if share > 1.0},
            "seconds": seconds,
        }

    def _shows(self, sent: Sent) -> bool:
        capture = self._commander.actuators.capture
        return capture is not None and capture.exposure_command == sent.id

    def _cpu_s(self) -> dict[str, float]:
        """Processor time used by each process so far [s]."""
        tick = os.sysconf("SC_CLK_TCK")
        stats = {name: Path(f"/proc/{pid}/stat").read_text() for name, pid in self._pids.items()}
        # utime and stime are the 12th and 13th field after the name, which may hold spaces.
        return {name: sum(map(int, s.rpartition(")")[2].split()[11:13])) / tick for name, s in stats.items()}
