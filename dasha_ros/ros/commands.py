"""A driver's commands: those that it obeys, and what is said of the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dasha_ros import msg
from dasha_ros.ros.conversions import id_from_msg
from dasha_ros.ros.node import DashaNode
from dasha_ros.timing.command import CommandId
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
        obey: Callable[[CommandId, float], None],
        refused: Callable[[], None] | None = None,
    ) -> None:
        """Begin with no command.

        Args:
            node: The driver; nothing is obeyed while it is not active.
            gate: Decides.
            obey: Called with the id and value of each admitted command.
            refused: Called after each refusal of the gate.
        """
        self._node, self.gate, self._obey, self._refused = node, gate, obey, refused
        node.health.show("commands", lambda: {"last_refusal": gate.last_refusal} if gate.refused else {})

    def hear(self, command: msg.ExposureCommand | msg.LensCommand, value: float) -> None:
        """A command came."""
        node, gate = self._node, self.gate
        if not node.is_active:
            node.health.count("commands_while_inactive")
            return
        named = id_from_msg(command.id)
        if gate.admit(value, named):
            self._obey(named, value)
            return
        node.health.count("refused_commands")
        if gate.refused & (gate.refused - 1) == 0:
            # A flood must not fill the log.
            node.get_logger().warning(f"{gate.last_refusal} ({gate.refused} so far)")
        if self._refused is not None:
            self._refused()
