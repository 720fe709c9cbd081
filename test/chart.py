"""A node's health without a node: what it publishes and logs is written down."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from dasha_ros.ros.node.health import Health


class Chart(Health):
    """`Health` of a node that is nowhere.

    Attributes:
        published: Every status, oldest first.
        logged: Every line, oldest first, as severity and sentence.
        now_s: The time; it stands still.
    """

    def __init__(self) -> None:
        self.published: list[Any] = []
        self.logged: list[tuple[str, str]] = []
        self.now_s = 1000.0
        publisher = SimpleNamespace(publish=lambda array: self.published.append(array.status[0]))
        logger = SimpleNamespace(
            error=lambda line: self.logged.append(("error", line)),
            warning=lambda line: self.logged.append(("warning", line)),
        )
        clock = SimpleNamespace(now=lambda: SimpleNamespace(to_msg=_no_time))
        node: Any = SimpleNamespace(
            create_publisher=lambda *a: publisher,
            create_timer=lambda *a, **k: None,
            get_logger=lambda: logger,
            get_clock=lambda: clock,
            get_fully_qualified_name=lambda: "/dasha/patient",
            context=SimpleNamespace(ok=lambda: True),
        )
        super().__init__(node, lambda: self.now_s)


def _no_time() -> Any:
    from builtin_interfaces.msg import Time

    return Time()
