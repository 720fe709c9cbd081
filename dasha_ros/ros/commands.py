"""A driver's commands: those that it obeys, and what is said of the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from std_msgs.msg import Header

from dasha_ros.ros.node import DashaNode
from dasha_ros.ros.stamps import to_ns
from dasha_ros.timing.gate import CommandGate


class Commands:
    """Passes on what its gate admits; the rest is counted, and told at 1, 2, 4, ... of them.

    Attributes:
        gate: Decides.
    """

    def __init__(
        self,
        node: DashaNode[Any],
        gate: CommandGate,
        *,
        obey: Callable[[int, float], None],
        refused: Callable[[], None] | None = None,
    ) -> None:
        """Begin with no command.

        Args:
            node: The driver; nothing is obeyed while it is not active.
            gate: A new one: what the clock said before the driver was configured shuts nobody out.
            obey: Called with the stamp [ns] and value of each admitted command.
            refused: Called after each refusal of the gate.
        """
        self._node, self.gate, self._obey, self._refused = node, gate, obey, refused
        node.health.show("commands", lambda: {"last_refusal": gate.last_refusal} if gate.refused else {})

    def hear(self, header: Header, value: float) -> None:
        """A command came."""
        node, gate = self._node, self.gate
        if not node.is_active:
            node.health.count("commands_while_inactive")
            return
        stamp_ns = to_ns(header.stamp)
        if gate.admit(value, stamp_ns, node.clock.now_ns()):
            self._obey(stamp_ns, value)
            return
        node.health.count("refused_commands")
        if gate.refused & (gate.refused - 1) == 0:
            # A flood must not fill the log.
            node.get_logger().warning(f"{gate.last_refusal} ({gate.refused} so far)")
        if self._refused is not None:
            self._refused()
