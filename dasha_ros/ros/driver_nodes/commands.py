"""A driver's commands: which ones it obeys, how it reports the others, and what it restores after a goal."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dasha_ros import msg
from dasha_ros.freshness.command import CommandId, new_instance
from dasha_ros.freshness.gate import CommandGate
from dasha_ros.freshness.restorable import RestorableValue, parse_owner
from dasha_ros.ros.node.node import DashaNode
from dasha_ros.ros.transport.conversions import id_from_msg
from dasha_ros.ros.transport.endpoints import endpoints_of


@dataclass(frozen=True)
class Order:
    """A command that the driver must carry out."""

    command: CommandId
    value: float
    confirms: bool = False
    """It makes a goal's value permanent. If that value is already active, nothing needs to move."""


class Commands:
    """Passes on commands that its gate admits, counts the others, and logs the 1st, 2nd, 4th, ... of them.

    The commands of a goal are temporary (see `freshness.restorable`): when the goal's owner leaves the
    graph or the driver ends, this class commands the last permanent value.

    Attributes:
        gate: Decides which commands are valid.
        instance: Sender of the driver's messages and of its own commands.
    """

    def __init__(
        self,
        node: DashaNode[Any],
        topic: str,
        gate: CommandGate,
        *,
        obey: Callable[[Order], None],
        current: Callable[[], float | None],
        refused: Callable[[], None] | None = None,
    ) -> None:
        """Start without a command.

        Args:
            node: The driver; it obeys nothing while it is inactive.
            topic: The topic of the commands, on which their owners publish.
            gate: Decides which commands are valid.
            obey: Called with each order, one at a time.
            current: Returns the current value, or ``None`` if it is unknown.
            refused: Called after the gate refused a command.
        """
        self._node, self._topic, self.gate, self._obey = node, topic, gate, obey
        self._current, self._refused = current, refused
        self.instance = new_instance(node.get_fully_qualified_name())
        self._own = 0
        self._lock = threading.Lock()
        self._restorable = RestorableValue(self._endpoints)
        node.health.show("commands", lambda: {"last_refusal": gate.last_refusal} if gate.refused else {})

    def hear(self, command: msg.ExposureCommand | msg.LensCommand, value: float) -> None:
        """Handle a command."""
        node, gate = self._node, self.gate
        named = id_from_msg(command.id)
        with self._lock:
            # Checked under the lock, so that nothing is obeyed after `end`.
            if not node.is_active:
                node.health.count("commands_while_inactive")
                return
            if gate.admit(value, named):
                before, was_temporary = self._current(), bool(self._restorable.owner)
                self._restorable.commanded(command.owner, before)
                confirms = was_temporary and not command.owner and value == before
                self._obey(Order(named, value, confirms))
                return
        node.health.count("refused_commands")
        if gate.refused & (gate.refused - 1) == 0:
            # A flood of bad commands must not fill the log.
            node.get_logger().warning(f"{gate.last_refusal} ({gate.refused} so far)")
        if self._refused is not None:
            self._refused()

    def found(self, value: float) -> None:
        """Take note of the value at which the device was opened."""
        with self._lock:
            self._restorable.found(value)

    def restore_if_abandoned(self) -> None:
        """Restore the last permanent value if the owner of the current one has left the graph."""
        with self._lock:
            owner = self._restorable.owner
            if self._restorable.is_abandoned():
                self._restore(f"{parse_owner(owner)[0]} left the graph during a goal")

    def end(self) -> bool:
        """Restore the last permanent value if the current one belongs to a goal; return whether it did."""
        with self._lock:
            return self._restore("the driver ends during a goal")

    def _restore(self, why: str) -> bool:
        value = self._restorable.end()
        if value is None:
            return False
        self._own += 1
        quantity, unit = self.gate.quantity, self.gate.unit
        self._node.get_logger().warning(f"{why}: the {quantity} goes back to {value:g} {unit}")
        self._obey(Order(CommandId(self.instance, self._own), value))
        return True

    def _endpoints(self, owner: str) -> frozenset[bytes]:
        """The endpoints through which a node commands this actuator."""
        return endpoints_of(self._node, self._topic, owner)
