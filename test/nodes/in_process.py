"""Drivers in the test's process, with devices that the test controls."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ros_harness import wait_for


@contextlib.contextmanager
def in_process(module: Any, kind: str, device: Any = None, **parameters: Any) -> Iterator[Any]:
    """A driver, not configured yet; ``device`` makes what it owns, from a configuration and a clock.

    Nobody serves its parameters and timers; its worker and its subscriber have threads of their own.
    """
    import rclpy
    from rclpy.signals import SignalHandlerOptions

    arguments = ["--ros-args"]
    for key, value in parameters.items():
        arguments += ["-p", f"{key}:={value}"]
    name = "lens_backend" if hasattr(module, "lens_backend") else "camera_backend"
    original = getattr(module, name, None)
    if device is not None:
        setattr(module, name, device)
    rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
    try:
        driver = getattr(module, kind)()
        yield driver
        assert driver.end()
        driver.destroy_node()
    finally:
        rclpy.try_shutdown()
        if device is not None:
            setattr(module, name, original)


class Ears:
    """Stands in for a publisher and keeps what was published."""

    event_handlers = ()

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def publish(self, message: Any) -> None:
        self.heard.append(message)

    def wait_for_all_acked(self, timeout: Any) -> bool:
        """Nothing to wait for: there is no network."""
        return True

    def until(self, condition: Any, what: str) -> Any:
        """The first message for which ``condition`` is true."""
        return wait_for(lambda: next((m for m in list(self.heard) if condition(m)), None), what)
