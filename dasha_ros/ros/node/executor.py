"""Executors that survive exceptions in callbacks and the destruction of what they serve.

In rclpy's executors an exception in a callback reaches the thread that spins and ends the process. They also
hold no reference to the subscriptions, timers and actions they serve: if another thread destroys one while a
wait set is built, or between a wait and the callback, they raise `InvalidHandle` or crash in C.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rclpy.executors import Executor, MultiThreadedExecutor, SingleThreadedExecutor, await_or_execute
from rclpy.node import Node
from rclpy.task import Future, Task

from dasha_ros.ros.node.guard import Guard, guard_of

_CAUGHT = (Exception, SystemExit)
"""Also `SystemExit`: a library must not end the process from within a callback."""


@dataclass
class _Retired:
    """Something that the node's lists no longer contain."""

    destroy: Callable[[], object]
    users: list[Future] | None = field(default=None)
    """Callbacks that had begun before it left the lists and may still use it. `None`: not collected yet."""


class SafeExecutor(Executor):
    """What both executors share.

    The thread that spins destroys what was given to `retire`. It does so between two waits, once every
    callback that had begun before has ended: then no wait set and no callback uses it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._retired: list[_Retired] = []
        self._retired_lock = threading.Lock()
        self._spun_by: threading.Thread | None = None
        self._ended = False
        self._errors: Guard | None = None

    def add_node(self, node: Node) -> bool:
        """See `rclpy.executors.Executor.add_node`. Errors go to the guard of the node added last."""
        self._errors = guard_of(node)
        return bool(super().add_node(node))

    def retire(self, destroy: Callable[[], object]) -> None:
        """Call ``destroy`` once nothing uses what it destroys; at once if no thread spins.

        The node's lists must no longer contain it. Callable from any thread, callbacks included.
        """
        with self._retired_lock:
            is_spun = not self._ended and self._spun_by is not None and self._spun_by.is_alive()
            if is_spun:
                self._retired.append(_Retired(destroy))
        if is_spun:
            self.wake()
        else:
            destroy()

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """See `rclpy.executors.Executor.spin_once`. Exceptions in callbacks are not raised here."""
        self._spun_by = threading.current_thread()
        if self._retired:
            self._destroy_unused()
        super().spin_once(timeout_sec)

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        """See `rclpy.executors.Executor.shutdown`. No thread may spin by now."""
        self._await_threads()
        went_well: bool = super().shutdown(timeout_sec)
        with self._retired_lock:
            self._ended = True
            retired, self._retired = self._retired, []
        for one in retired:
            self._destroy(one)
        return went_well

    def _await_threads(self) -> None:
        """Wait for running callbacks that have threads of their own."""

    def _destroy_unused(self) -> None:
        # An interrupted wait keeps its wait set and would go on to serve what was ready in it.
        self._cb_iter = None
        with self._tasks_lock:
            in_hand = [task for task, _, _ in self._tasks if not _is_over(task)]
        with self._retired_lock:
            retired, self._retired = self._retired, []
        kept = []
        for one in retired:
            one.users = in_hand if one.users is None else [user for user in one.users if not _is_over(user)]
            if one.users:
                kept.append(one)
            else:
                self._destroy(one)
        with self._retired_lock:
            self._retired += kept

    def _destroy(self, one: _Retired) -> None:
        try:
            one.destroy()
        except Exception as error:  # The others must be destroyed all the same.
            self._caught("the destruction of an entity", error)

    def _caught(self, where: str, error: BaseException) -> None:
        if self._errors is not None:
            self._errors.caught(where, error)

    def _make_handler(self, entity: Any, node: Node, take_from_wait_list: Any) -> Task:
        def take(entity: Any) -> Any:
            # If taking a message raised here, rclpy would never serve the entity again.
            try:
                call = take_from_wait_list(entity)
            except _CAUGHT as error:
                self._caught(_name(entity), error)
                return None
            return None if call is None else serve(call)

        def serve(call: Any) -> Any:
            async def served() -> None:
                try:
                    await call()
                except _CAUGHT as error:
                    self._caught(_name(entity), error)

            return served

        return super()._make_handler(entity, node, take)

    def _take_service(self, srv: Any) -> Any:
        """As rclpy's, but it answers even if the callback raises: the client must not wait forever."""
        with srv.handle:
            request, header = srv.handle.service_take_request(srv.srv_type.Request)

        async def answer() -> None:
            if header is None:
                return
            try:
                response = await await_or_execute(srv.callback, request, srv.srv_type.Response())
            except _CAUGHT:
                srv.send_response(srv.srv_type.Response(), header)
                raise
            srv.send_response(response, header)

        return answer

    def create_task(self, callback: Any, *args: Any, **kwargs: Any) -> Task:
        """See `rclpy.executors.Executor.create_task`. Goals and pending answers run as tasks; no results."""

        name = getattr(callback, "__qualname__", "a task")

        def called(*args: Any, **kwargs: Any) -> None:
            try:
                callback(*args, **kwargs)
            except _CAUGHT as error:
                self._caught(name, error)

        async def awaited(*args: Any, **kwargs: Any) -> None:
            try:
                await callback(*args, **kwargs)
            except _CAUGHT as error:
                self._caught(name, error)

        guarded = awaited if inspect.iscoroutinefunction(callback) else called
        return super().create_task(guarded, *args, **kwargs)


class SafeSingleThreadedExecutor(SafeExecutor, SingleThreadedExecutor):
    """rclpy's `SingleThreadedExecutor`, made safe."""


class SafeMultiThreadedExecutor(SafeExecutor, MultiThreadedExecutor):
    """rclpy's `MultiThreadedExecutor`, made safe."""

    def _await_threads(self) -> None:
        self._executor.shutdown()


def _is_over(task: Future) -> bool:
    return bool(task.done() or task.cancelled())


def _name(entity: Any) -> str:
    for attribute, kind in (("topic_name", "topic"), ("srv_name", "service")):
        if isinstance(name := getattr(entity, attribute, None), str):
            return f"{kind} {name}"
    return type(entity).__name__
