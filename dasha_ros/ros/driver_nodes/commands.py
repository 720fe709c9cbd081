"""A driver's commands: those that it obeys, what is said of the others, and what a goal leaves behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rclpy.duration import Duration
from rclpy.publisher import Publisher

from dasha_ros import msg
from dasha_ros.freshness import limits
from dasha_ros.freshness.command import CommandId, new_instance
from dasha_ros.freshness.gate import CommandGate
from dasha_ros.freshness.tentative import Tentative
from dasha_ros.ros.node.node import DashaNode
from dasha_ros.ros.transport.conversions import id_from_msg


@dataclass(frozen=True)
class Order:
    """What a driver has to do."""

    command: CommandId
    value: float
    confirms: bool = False
    """The value of a goal stays for good: where it is in force already, nothing needs to move."""


class Commands:
    """Passes on what its gate admits; the rest is counted, and told at 1, 2, 4, ... of them.

    What a goal commands is in force for a while only (see `freshness.tentative`): when its owner leaves
    the graph, or the driver has to end, the last value for good is commanded here.

    Attributes:
        gate: Decides.
        instance: Who speaks for the driver, and commands when it brings its actuator back by itself.
    """

    def __init__(
        self,
        node: DashaNode[Any],
        topic: str,
        gate: CommandGate,
        *,
        obey: Callable[[Order], None],
        in_force: Callable[[], float | None],
        refused: Callable[[], None] | None = None,
    ) -> None:
        """Begin with no command.

        Args:
            node: The driver; nothing is obeyed while it is not active.
            topic: Of the commands: who commands is there.
            gate: Decides.
            obey: Called with each order, one at a time.
            in_force: The value that was ordered last, or found; ``None``: not known yet.
            refused: Called after each refusal of the gate.
        """
        self._node, self._topic, self.gate, self._obey = node, topic, gate, obey
        self._in_force, self._refused = in_force, refused
        self.instance = new_instance(node.get_fully_qualified_name())
        self._own = 0
        self._lock = threading.Lock()
        self._tentative = Tentative(self._endpoints)
        node.health.show("commands", lambda: {"last_refusal": gate.last_refusal} if gate.refused else {})

    def hear(self, command: msg.ExposureCommand | msg.LensCommand, value: float) -> None:
        """A command came."""
        node, gate = self._node, self.gate
        named = id_from_msg(command.id)
        with self._lock:
            # Looked at under the lock: nothing is obeyed after `end`.
            if not node.is_active:
                node.health.count("commands_while_inactive")
                return
            if gate.admit(value, named):
                before, was_tentative = self._in_force(), bool(self._tentative.owner)
                self._tentative.commanded(command.owner, before)
                confirms = was_tentative and not command.owner and value == before
                self._obey(Order(named, value, confirms))
                return
        node.health.count("refused_commands")
        if gate.refused & (gate.refused - 1) == 0:
            # A flood must not fill the log.
            node.get_logger().warning(f"{gate.last_refusal} ({gate.refused} so far)")
        if self._refused is not None:
            self._refused()

    def found(self, value: float) -> None:
        """The device was opened and is at this value."""
        with self._lock:
            self._tentative.found(value)

    def leave_nothing_behind(self) -> None:
        """Order the last value for good, if the owner of the one in force has left the graph."""
        with self._lock:
            owner = self._tentative.owner
            if self._tentative.is_abandoned():
                self._bring_back(f"{owner} has left the graph in the middle of a goal")

    def end(self) -> bool:
        """Order the last value for good, if the one in force is a goal's. Returns whether it was."""
        with self._lock:
            return self._bring_back("the driver ends in the middle of a goal")

    @staticmethod
    def see_off(publisher: Publisher) -> None:
        """Wait until all who listen have a last word: it is lost if its sender leaves at once."""
        publisher.wait_for_all_acked(Duration(seconds=limits.WORD_ARRIVES_S))

    def _bring_back(self, why: str) -> bool:
        value = self._tentative.end()
        if value is None:
            return False
        self._own += 1
        quantity, unit = self.gate.quantity, self.gate.unit
        self._node.get_logger().warning(f"{why}: the {quantity} goes back to {value:g} {unit}")
        self._obey(Order(CommandId(self.instance, self._own), value))
        return True

    def _endpoints(self, owner: str) -> frozenset[bytes]:
        """The endpoints by which a node commands this actuator."""
        return frozenset(
            bytes(info.endpoint_gid)
            for info in self._node.get_publishers_info_by_topic(self._node.resolve_topic_name(self._topic))
            if f"{info.node_namespace.rstrip('/')}/{info.node_name}" == owner
        )
