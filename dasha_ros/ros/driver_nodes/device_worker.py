"""The thread that owns a device: it opens the device, works with it, and reopens it after a loss."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from rclpy.logging import get_logger

from dasha_ros.devices.errors import DeviceError, DeviceLost, DeviceTimeout
from dasha_ros.perception.own_class import told_in_a_line
from dasha_ros.ros.node.health import Health
from dasha_ros.system import shutdown_limits

BACK_OFF_S = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Pauses between attempts to open the device [s]: short at first, for a cable that moved; then longer."""
ERRORS_IN_A_ROW = 5
"""A single damaged frame or bad reply is not a loss; this many in a row are."""
FACTS_S, FACTS_BUSY_S = 1.0, 5.0
"""How old the facts may become while the device idles and while it works [s]: a query takes up to 3 ms."""

DEVICE, OPENING = "device", "opening"
"""Name of the diagnostics' value that tells the device's state, and its value until the first attempt to open
the device has ended; then it is ``open`` or ``lost``, and ``closed`` once the worker has stopped."""


class Job(Protocol):
    """What a `DeviceWorker` does with its device. All calls come from the worker's thread."""

    def open(self) -> None:
        """Open the device and apply all settings again."""
        ...

    def work(self) -> bool:
        """Wait for something to do and do it. Must return within a second, or at once after `wake`.

        Returns:
            Whether the device did something, which shows that it works.
        """
        ...

    def facts(self) -> dict[str, Any]:
        """What the device says about itself, for the diagnostics. Called regularly."""
        ...

    def lost(self, reason: str) -> None:
        """React to the loss of the device: tell those who wait for it."""
        ...

    def leave(self) -> None:
        """Prepare the open device for the end of the worker: restore its permanent setting."""
        ...

    def close(self) -> None:
        """Close the device."""
        ...


class DeviceWorker:
    """Runs a `Job` in a thread of its own, so that no device call blocks an executor.

    Owns the node's condition ``device``: an ERROR while the device is lost, a WARN from a single
    error until the next success.

    Attributes:
        has_device: Whether the device is open.
    """

    def __init__(self, name: str, job: Job, health: Health, wake: Callable[[], None]) -> None:
        self._job, self._health, self._wake = job, health, wake
        self._stop = threading.Event()
        self.has_device = False
        self._facts: dict[str, Any] = {}
        self._facts_at_s = 0.0
        self._losses_in_a_row = 0
        """Losses without a success in between."""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        health.show("device", lambda: {DEVICE: self._state, **self._facts})

    def start(self) -> None:
        """Open the device and start working."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the current work and close the device.

        Raises:
            DeviceTimeout: A call to the device does not return, so the device is still open. Stop again
                later.
        """
        self._stop.set()
        self._wake()
        if self._thread.is_alive():
            self._thread.join(timeout=shutdown_limits.DRIVER_STOPS_S)
        if self._thread.is_alive():
            raise DeviceTimeout(
                f"a call to the {self._thread.name} has not returned for "
                f"{shutdown_limits.DRIVER_STOPS_S:g} s; "
                "the device is still open: try again, or end the process"
            )

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    self._job.open()
                    self.has_device = True
                    self._outlive(self._ask_facts)
                    self._health.clear("device")
                    self._work()
                except (Exception, SystemExit) as error:  # Whatever a driver raises, the node tries again.
                    if not isinstance(error, DeviceError):
                        self._health.count("internal_errors")
                    pause = BACK_OFF_S[min(self._losses_in_a_row, len(BACK_OFF_S) - 1)]
                    self._losses_in_a_row += 1
                    self._health.count("device_losses")
                    self.has_device = False
                    reason = _reason(error)
                    self._health.error("device", f"{reason} (trying again)")
                    self._outlive(self._job.lost, reason)
                    self._outlive(self._job.close)
                    self._stop.wait(pause)
        finally:
            if self.has_device:
                self._outlive(self._job.leave)
            self.has_device = False
            self._health.clear("device")
            self._outlive(self._job.close)

    def _work(self) -> None:
        errors = 0
        while not self._stop.is_set():
            try:
                worked = self._job.work()
            except DeviceLost:
                raise
            except DeviceError as error:
                errors += 1
                self._health.count("device_errors")
                self._outlive(self._ask_facts)
                if errors == ERRORS_IN_A_ROW:
                    raise DeviceLost(f"{_reason(error)} ({errors} errors in a row: reopening it)") from error
                self._health.warn("device", _reason(error))
            else:
                if worked:
                    self._losses_in_a_row = errors = 0
                    self._health.clear("device")
                if time.monotonic() - self._facts_at_s > (FACTS_BUSY_S if worked else FACTS_S):
                    self._outlive(self._ask_facts)

    @property
    def _state(self) -> str:
        """See `DEVICE`."""
        if self.has_device:
            return "open"
        if self._stop.is_set():
            return "closed"
        return "lost" if self._losses_in_a_row else OPENING

    def _ask_facts(self) -> None:
        self._facts_at_s = time.monotonic()
        self._facts = self._job.facts()

    def _outlive(self, step: Callable[..., None], *arguments: str) -> None:
        """Take a step whose failure must neither end the thread nor count as a loss."""
        try:
            step(*arguments)
        except (Exception, SystemExit) as error:
            self._health.count("internal_errors")
            get_logger(self._thread.name).error(f"internal error in the device's thread: {error!r}")


def _reason(error: BaseException) -> str:
    """What an error says; Python's own say little without their type, such as a `KeyError` of 3."""
    said = "" if type(error).__module__ == "builtins" else str(error)
    return said or told_in_a_line(error)
