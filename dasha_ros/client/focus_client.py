"""Sends goals to the focus server and waits for their results."""

from __future__ import annotations

import asyncio
import atexit
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from dasha_ros.client.arguments import seconds, sent_count, sent_labels, sent_number, sent_region
from dasha_ros.client.outcome import FocusError, FocusResult, Progress, progress_of
from dasha_ros.client.task import FocusTask

if TYPE_CHECKING:
    from rclpy.node import Node

_SERVER_S = 5.0
_TIMEOUT_S = 120.0
NO_REGION = (0.0, 0.0, 0.0, 0.0)
"""All of the picture."""


class FocusClient:
    """Sends goals to a focus server. One client serves all threads of a program.

    Close it, or use it as a context manager: closing cancels running goals and waits for their end.
    """

    def __init__(
        self,
        node: Node | None = None,
        *,
        namespace: str = "/dasha",
        server_timeout: float = _SERVER_S,
        restore_timeout: float | None = None,
    ) -> None:
        """Join the graph.

        Args:
            node: The node whose coroutine callbacks await goals. Its executor is woken when a goal ends, its
                domain is used, and the end of its context cancels running goals.
            namespace: Namespace of the graph.
            server_timeout: How long to wait for a server; an answer to a goal may take twice as long [s].
            restore_timeout: How long a cancelled goal may take to restore lens and exposure [s]; `None` is
                long enough for a server with default parameters and the longest exposure.

        Raises:
            ImportError: ROS 2 or the built interfaces are missing.
            ConfigError: The namespace or ``ROS_DOMAIN_ID`` is invalid, or ROS can't start.
            TypeError: A timeout is no number, ``node`` no node, or ``namespace`` no text.
            ValueError: A timeout is negative or not a number (NaN).
        """
        if not isinstance(namespace, str):
            raise TypeError(f"namespace is a text, as in '/dasha', not {namespace!r}")
        try:
            from rclpy.node import Node as RosNode

            from dasha_ros.ros.goals.focus_client import FocusGoals
        except ImportError as error:
            raise ImportError(
                f"{error}. dasha_ros.client needs ROS 2 and the built interfaces: build the package with "
                "colcon, or run ./scripts/setup in a checkout"
            ) from error
        from dasha_ros.bringup.environment import domain_trouble
        from dasha_ros.bringup.graph import checked_namespace
        from dasha_ros.config import ConfigError, FocusServerConfig
        from dasha_ros.devices.camera import EXPOSURE_LIMITS_US
        from dasha_ros.ros.goals.goal_watchdog import LOST_AFTER_S, GoalTimeouts
        from dasha_ros.system import shutdown_limits

        if not (node is None or isinstance(node, RosNode)):
            hint = f": write namespace={node!r} for a namespace" if isinstance(node, str) else ""
            raise TypeError(f"node is a node of rclpy, not {node!r}{hint}")
        if node is None and (trouble := domain_trouble()):
            raise ConfigError(trouble)
        self._namespace = checked_namespace(namespace)
        server_s, restore_s = (
            seconds("server_timeout", server_timeout),
            seconds("restore_timeout", restore_timeout),
        )
        if server_s is None:
            raise TypeError("server_timeout is a number of seconds, not None")
        if restore_s is None:
            agent_s = FocusServerConfig().agent_timeout_s
            restore_s = shutdown_limits.client_waits_s(agent_s, EXPOSURE_LIMITS_US[1])
        self._restore_s = restore_s
        self._node = node
        self._goals = FocusGoals(
            self._namespace,
            None if node is None else node.context.get_domain_id(),
            GoalTimeouts(server_s, 2.0 * server_s, LOST_AFTER_S, restore_s),
        )
        self._tasks: weakref.WeakSet[FocusTask] = weakref.WeakSet()
        _open.add(self)
        if node is not None:
            node.context.on_shutdown(self.cancel_all)

    def __enter__(self) -> FocusClient:
        """Return the client itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """See `close`."""
        self.close()

    def close(self) -> None:
        """Cancel running goals, wait for their end, and leave the graph.

        Raises:
            RuntimeError: A callback of the client asks, whose thread it would wait for.
        """
        self._goals.check_may_wait()
        _open.discard(self)
        try:
            self._goals.close()
        except BaseException:  # Ctrl-C during the wait.
            for task in list(self._tasks):
                task.abandon()
            raise

    def cancel_all(self) -> None:
        """Cancel every running goal, without waiting."""
        for task in list(self._tasks):
            task.cancel()

    def start(
        self,
        labels: str | Sequence[str] = (),
        *,
        any_object: bool = False,
        by_priority: bool = False,
        region: Sequence[float] = NO_REGION,
        min_distance_m: float = 0.0,
        max_distance_m: float = 0.0,
        min_score: float = 0.0,
        max_brisque: float = 0.0,
        max_steps: int = 0,
        max_seconds: float = 0.0,
        keep_exposure: bool = False,
        hold: bool = False,
        timeout: float | None = _TIMEOUT_S,
        on_feedback: Callable[[Progress], None] | None = None,
        on_cancel: Callable[[], None] = lambda: None,
    ) -> FocusTask:
        """Send a goal and return at once.

        Args:
            labels: What to look for; empty for any object, or for the region itself.
            any_object: Any object that the detector knows counts; those of ``labels`` come first.
            by_priority: An object of an earlier label comes before one of a later label, whatever the scores.
            region: A part of the picture: x_min, y_min, x_max, y_max as fractions of its width and height,
                0..1; all zero for none. With labels or ``any_object``, only objects in it count; without,
                it is itself the object, whatever is there.
            min_distance_m: Least focus distance to search [m]; 0 for as near as the lens can.
            max_distance_m: Greatest focus distance to search [m]; 0 for infinity.
            min_score: Least confidence, 0..1; 0 for the server's default.
            max_brisque: Worst BRISQUE to accept (lower is better); 0 for the server's default.
            max_steps: Limit for both agents together; 0 for the server's default.
            max_seconds: The server ends the goal after this time [s]; 0 for the server's limit.
            keep_exposure: Leave the exposure alone and only focus.
            hold: Once the object is sharp, keep it so until the goal is cancelled or its time is up. Then the
                result says that it was found, and lens and exposure stay.
            timeout: The goal is cancelled after this time [s]; `None` for never.
            on_feedback: Called for every step, and when lens and exposure begin to go back, in the client's
                thread.
            on_cancel: Called when a cancellation begins, in the client's thread.

        Raises:
            TypeError: A label is no text, ``max_steps`` no whole number, or what should be a number none.
            ValueError: ``region`` has not four numbers, a label can't be sent, ``max_steps`` is negative,
                a number is too large or too small to be sent, or ``timeout`` is negative or NaN.
        """
        from dasha_ros.action import FocusOnObject
        from dasha_ros.msg import Region
        from dasha_ros.ros.goals.focus_client import Order

        def feedback(message: Any) -> None:
            assert on_feedback is not None
            on_feedback(progress_of(message))

        task = FocusTask(self._goals.wake, self._wake_node, self._goals.check_may_wait)
        task.order = Order(
            goal=FocusOnObject.Goal(
                labels=sent_labels(labels),
                any_object=bool(any_object),
                by_priority=bool(by_priority),
                region=Region(**sent_region(region)),
                min_distance_m=sent_number("min_distance_m", min_distance_m),
                max_distance_m=sent_number("max_distance_m", max_distance_m),
                min_score=sent_number("min_score", min_score),
                max_brisque=sent_number("max_brisque", max_brisque),
                max_steps=sent_count("max_steps", max_steps),
                max_seconds=sent_number("max_seconds", max_seconds),
                keep_exposure=bool(keep_exposure),
                hold=bool(hold),
            ),
            timeout_s=seconds("timeout", timeout),
            on_feedback=None if on_feedback is None else feedback,
            on_cancel=on_cancel,
            on_end=lambda ending: task.end(ending, self._namespace, self._restore_s),
        )
        self._tasks.add(task)
        self._goals.start(task.order)
        return task

    def focus(self, labels: str | Sequence[str] = (), **goal: Any) -> FocusResult:
        """Send a goal, wait for its end, and return its result; the arguments are those of `start`.

        Ctrl-C, like any exception from a signal handler, cancels the goal, waits until lens and exposure are
        restored, and is then raised. A second Ctrl-C ends the wait.

        Raises:
            NoServerError: No focus server was found, or it does not answer.
            GoalRejectedError: The server rejects the goal.
            ServerLostError: The server died, was restarted, or stopped answering.
            DeadlineError: The goal took longer than ``timeout`` and was cancelled.
            RuntimeError: A callback of the client asks, whose thread the goal needs.
        """
        self._goals.check_may_wait()
        task = self.start(labels, **goal)
        try:
            return task.wait()
        except FocusError:
            raise
        except BaseException:
            task.cancel()
            try:
                task.wait_for_end()
            except BaseException:
                task.abandon()
                raise
            raise

    async def focus_async(self, labels: str | Sequence[str] = (), **goal: Any) -> FocusResult:
        """Like `focus`, for coroutine callbacks of the client's ``node``, and for asyncio.

        Cancelling the coroutine cancels the goal; in asyncio its end is awaited first.
        """
        task = self.start(labels, **goal)
        try:
            return await task
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait([asyncio.ensure_future(_ended(task))])
            raise
        finally:
            # The executor has dropped the coroutine, so nobody waits for the goal any more.
            task.cancel()

    def _wake_node(self) -> None:
        executor = None if self._node is None else self._node.executor
        if executor is not None:
            executor.wake()


_open: weakref.WeakSet[FocusClient] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """Cancel the goals of a program that exits, while that is still possible."""
    for client in list(_open):
        client.close()


async def _ended(task: FocusTask) -> None:
    try:
        await task
    except FocusError:
        return
