"""A node whose topics, timers and services may be destroyed in the midst of its work."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from rclpy.node import Node

from dasha_ros.ros.node.executor import Steady


class RetiringNode(Node):
    """Takes an entity from its lists at once, and destroys it when no thread can use it any more.

    Under an executor of another kind than `ros.node.executor`'s it is destroyed at once, as rclpy does.
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
    """Destroy an action's server or client once no callback can use it."""
    if not isinstance(node.executor, Steady):
        action.destroy()
        return
    node.remove_waitable(action)

    def destroy() -> None:
        # rclpy's own takes it out of the list once more. Whoever builds wait sets is the thread that is here.
        node.add_waitable(action)
        action.destroy()

    retire(node, destroy, action)


def retire(node: Node, destroy: Callable[[], object], *entities: Any) -> None:
    """Destroy what no list of a node holds any more once no callback can use it.

    Args:
        node: Whose it was.
        destroy: Does it.
        entities: What is destroyed. rclpy's callback groups would remember them for as long as they live.
    """
    executor = node.executor
    if not isinstance(executor, Steady):
        destroy()
        return

    def forget() -> None:
        destroy()
        for entity in entities:
            if (group := getattr(entity, "callback_group", None)) is not None:
                group.entities.discard(weakref.ref(entity))

    executor.retire(forget)
