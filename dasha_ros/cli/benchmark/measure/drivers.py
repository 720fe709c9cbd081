"""Times the drivers of a graph from a process that commands them and waits, as an agent does."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, Image

from dasha_ros import msg
from dasha_ros.bringup.watcher import Client
from dasha_ros.cli.graph.ready import GraphError
from dasha_ros.devices.varioptic.protocol import wire_seconds
from dasha_ros.emulators.latency import MOVE_BYTES
from dasha_ros.freshness.command import NO_COMMAND, CommandId
from dasha_ros.ros.rig.actuators import Actuators
from dasha_ros.ros.rig.settlement import Sent
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.conversions import id_from_msg
from dasha_ros.ros.transport.stamps import to_ns
from dasha_ros.ros.validation.subscribe import subscribe, subscribe_timed

EXPOSURES_US = (4_000.0, 5_000.0)
"""Used in turn, so that every command changes the exposure."""
PREVIEW_EXPOSURE_US = 10_000.0
WARM_UP = 5
WARM_UP_S = 3.0
ANSWER_S = 5.0
PERCEPT_S = 2.0
QUIET_S = 0.1
TRIES = 10


class RigTimer:
    """Commands a running graph and times the answers, one measurement at a time. `close` it at the end.

    Args:
        client: A client of the graph; this process is the subscriber.
        pids: Processes of the graph by name.
    """

    def __init__(self, client: Client, pids: Mapping[str, int]) -> None:
        self._client, self._pids = client, {**pids, "subscriber": os.getpid()}
        self._actuators = Actuators(client.node)
        self._arrived: dict[int, int] = {}
        """Arrival of each image by its stamp [ns]."""
        self._published: dict[int, int] = {}
        """When the driver had published each image, by its stamp [ns]."""
        self._states: dict[CommandId, tuple[int, int]] = {}
        """Publication and arrival of the lens's first state after each command [ns]."""
        self._percept = NO_COMMAND, NO_COMMAND
        """Exposure command and lens command that the newest percept answers."""
        self._actuators.listen(msg.LensState, "lens/state", self._on_lens, qos.STATE)
        self._actuators.listen(msg.Percept, "perception/percept", self._on_percept, qos.PERCEPT)

    def close(self) -> None:
        """Close the topics."""
        self._actuators.close()

    def _on_lens(self, state: msg.LensState) -> None:
        self._states.setdefault(id_from_msg(state.command), (to_ns(state.header.stamp), time.time_ns()))
        self._actuators.waiter.notify()

    def _on_percept(self, percept: msg.Percept) -> None:
        self._percept = id_from_msg(percept.capture.exposure_command), id_from_msg(percept.lens.command)
        self._actuators.waiter.notify()

    def _on_image(self, image: Image) -> None:
        self._arrived[to_ns(image.header.stamp)] = time.time_ns()

    def _on_camera_info(self, info: CameraInfo, sent_ns: int) -> None:
        # The driver sends this after the call that published the image has returned.
        self._published[to_ns(info.header.stamp)] = sent_ns

    @contextmanager
    def _images(self) -> Iterator[None]:
        """Subscribe to images only while they are timed, because they cost time."""
        node = self._client.node
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
        own = self._actuators
        self._meet(lambda: own.send_exposure(EXPOSURES_US[1]), self._shows)
        for i in range(WARM_UP + count):
            exposure_us = EXPOSURES_US[i % len(EXPOSURES_US)]
            sent = own.send_exposure(exposure_us)
            self._until(partial(self._shows, sent), "the camera driver does not answer")
            capture = own.capture
            assert capture is not None
            self._client.until(partial(self._has_heard_of, capture.stamp_ns), 1.0)
            self._rest(sent, 0)
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
            "in_hand_ms_p50": _quantiles("", in_hand)["_ms_p50"],
            **_quantiles("published", published),
            **_quantiles("received", received),
            "commanded_ms_p50": _quantiles("", commanded)["_ms_p50"],
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
        self._actuators.send_exposure(PREVIEW_EXPOSURE_US)
        self._set("camera_driver", preview_rate_hz=rate_hz)
        self._client.until(lambda: False, WARM_UP_S)
        self._arrived.clear()
        began, before = time.monotonic(), self._cpu_s()
        self._client.until(lambda: False, seconds)
        passed_s = time.monotonic() - began
        cpu = {name: 100 * (now - before[name]) / passed_s for name, now in self._cpu_s().items()}
        self._set("camera_driver", preview_rate_hz=0.0)
        seen = sorted(self._arrived.items())
        if len(seen) < 8:
            raise GraphError(f"{len(seen)} preview images in {seconds:g} s")
        ages = [(arrived - stamp) / 1e6 for stamp, arrived in seen]
        quarter = len(ages) // 4
        return {
            "asked_fps": rate_hz,
            "fps": round((len(seen) - 1) / ((seen[-1][1] - seen[0][1]) / 1e9), 2),
            **_quantiles("age", [age * 1e6 for age in ages]),
            "exposure_ms": PREVIEW_EXPOSURE_US / 1e3,
            "growth_ms": round(float(np.median(ages[-quarter:]) - np.median(ages[:quarter])), 2),
            "cpu_percent": {name: round(share, 1) for name, share in cpu.items() if share > 1.0},
            "seconds": seconds,
        }

    def lens(self, count: int, *, with_percepts: bool = True) -> dict[str, Any]:
        """Time lens commands, from sending one to the state that confirms it.

        Args:
            count: Number of commands.
            with_percepts: Whether the graph has a camera and perception, which work after each command.

        Returns:
            - ``published_ms_p50``, ``published_ms_p95``: until the driver publishes the state, without
              the time of the bytes at 57600 baud
            - ``received_ms_p50``, ``received_ms_p95``: until this process has it, likewise
            - ``wire_ms``: that time

        Raises:
            GraphError: The lens does not answer.
        """
        wire_ns = wire_seconds(MOVE_BYTES) * 1e9
        published, received = [], []
        self._meet(lambda: self._actuators.send_position(40.0), lambda sent: sent.id in self._states)
        for i, position in enumerate(np.linspace(30.0, 60.0, WARM_UP + count)):
            sent = self._actuators.send_position(float(position))
            self._until(partial(self._states.__contains__, sent.id), "the lens driver does not answer")
            if i >= WARM_UP:
                published.append(self._states[sent.id][0] - sent.at_ns - wire_ns)
                received.append(self._states[sent.id][1] - sent.at_ns - wire_ns)
            if with_percepts:
                self._rest(sent, 1)
            else:
                time.sleep(QUIET_S)
        return {
            **_quantiles("published", published),
            **_quantiles("received", received),
            "wire_ms": round(wire_ns / 1e6, 2),
        }

    def _shows(self, sent: Sent) -> bool:
        capture = self._actuators.capture
        return capture is not None and capture.exposure_command == sent.id

    def _meet(self, send: Callable[[], Sent], answered: Callable[[Sent], bool]) -> None:
        """Repeat a command until it is answered: before discovery it is lost."""
        for _ in range(TRIES):
            sent = send()
            if self._actuators.wait(partial(answered, sent), 1.0):
                return
        raise GraphError("a driver does not answer; see `dasha doctor`")

    def _cpu_s(self) -> dict[str, float]:
        """Processor time used by each process so far [s]."""
        tick = os.sysconf("SC_CLK_TCK")
        stats = {name: Path(f"/proc/{pid}/stat").read_text() for name, pid in self._pids.items()}
        # utime and stime are the 12th and 13th field after the name, which may hold spaces.
        return {name: sum(map(int, s.rpartition(")")[2].split()[11:13])) / tick for name, s in stats.items()}

    def _rest(self, sent: Sent, which: int) -> None:
        """Wait for the percept, as an agent does, so that it does not compete with the next measurement.

        Pictures travel by best effort, so perception may have missed this one.
        """
        self._actuators.wait(lambda: self._percept[which] == sent.id, PERCEPT_S)

    def _until(self, condition: Callable[[], bool], trouble: str) -> None:
        if not self._actuators.wait(condition, ANSWER_S):
            raise GraphError(trouble)

    def _set(self, node: str, **values: Any) -> None:
        parameters = [Parameter(name, value=value).to_parameter_msg() for name, value in values.items()]
        request = SetParametersAtomically.Request(parameters=parameters)
        service = f"{node}/set_parameters_atomically"
        answer = self._client.call(SetParametersAtomically, service, request, ANSWER_S)
        if answer is None:
            raise GraphError(f"{node} does not answer")
        if not answer.result.successful:
            raise GraphError(f"{node} refused {values}: {answer.result.reason}")


def _quantiles(name: str, nanoseconds: list[float]) -> dict[str, float]:
    p50, p95 = np.percentile(nanoseconds, (50, 95)) / 1e6 if nanoseconds else (float("nan"),) * 2
    return {f"{name}_ms_p50": round(float(p50), 2), f"{name}_ms_p95": round(float(p95), 2)}
