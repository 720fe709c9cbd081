"""A node whose topics, timers and services may be destroyed while it is served."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from rclpy.node import Node

from dasha_ros.ros.node.executor import SafeExecutor


class RetiringNode(Node):
    """Removes an entity from its lists at once, and destroys it when no thread can use it any more.

    With an executor that is not from `ros.node.executor` it destroys the entity at once, as rclpy does.
    """

    def destroy_publisher(self, publisher: Any) -> bool:
        """See `rclpy.node.Node.destroy_publisher`."""
        return self._retire(self._publishers, publisher)

    def destroy_subscription(self, subscription: Any) -> bool:
        """See `rclpy.node.Node.destroy_subscription`."""
        return self._retire(self._subscriptions, subscription)

    def destroy_client(self, client: Any) -> bool:
        """See `rclpy.node.Node.destroy_client`."""
        return self._retire(self._clients, client)

    def destroy_service(self, service: Any) -> bool:
        """See `rclpy.node.Node.destroy_service`."""
        return self._retire(self._services, service)

    def destroy_timer(self, timer: Any) -> bool:
        """See `rclpy.node.Node.destroy_timer`."""
        return self._retire(self._timers, timer)

    def destroy_guard_condition(self, guard: Any) -> bool:
        """See `rclpy.node.Node.destroy_guard_condition`."""
        return self._retire(self._guards, guard)

    def _retire(self, entities: list[Any], entity: Any) -> bool:
        if entity not in entities:
            return False
        entities.remove(entity)
        events = getattr(entity, "event_handlers", ())
        for event in events:
            self.remove_waitable(event)
        retire(self, entity.destroy, entity, *events)
        return True


def retire_action(node: Node, action: Any) -> None:
    """Destroy an action server or client once no callback can use it."""
    if not isinstance(node.executor, SafeExecutor):
        action.destroy()
        return
    node.remove_waitable(action)

    def destroy() -> None:
        # rclpy's `destroy` removes it from the list again. The thread that builds wait sets is this one.
        node.add_waitable(action)
        action.destroy()

    retire(node, destroy, action)


def retire(node: Node, destroy: Callable[[], object], *entities: Any) -> None:
    """Destroy entities that left a node's lists once no callback can use them.

    Args:
        node: The node that owned them.
        destroy: Destroys them.
        entities: What is destroyed. rclpy's callback groups would otherwise remember them forever.
    """
    executor = node.executor
    if not isinstance(executor, SafeExecutor):
        destroy()
        return

    def forget() -> None:
        destroy()
        for entity in entities:
            if (group := getattr(entity, "callback_group", None)) is not None:
                group.entities.discard(weakref.ref(entity))

    executor.retire(forget)
