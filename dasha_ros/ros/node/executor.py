"""Executors that no callback can end, and under which a node may destroy what it serves.

rclpy's executors pass on whatever a callback raises to the thread that spins, which ends the process. And
they look at subscriptions, timers and actions without holding them: what another thread destroys while a wait
set is built, or before a callback that was found ready has run, is an `InvalidHandle` or a crash in C.
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
"""A library that asks for the end of the process does not get it from a callback either."""


@dataclass
class _Retired:
    """Something that is in no list of the node any more."""

    destroy: Callable[[], object]
    users: list[Future] | None = field(default=None)
    """Callbacks that were in hand after the last could begin; they may use it. `None`: not counted yet."""


class Steady(Executor):
    """What both executors share.

    What was given to `retire` is destroyed in the thread that spins, between two waits, once every callback
    that had begun before has ended: no wait set holds it then, and nobody can use it any more.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._retired: list[_Retired] = []
        self._retired_lock = threading.Lock()
        self._spun_by: threading.Thread | None = None
        self._ended = False
        self._errors: Guard | None = None

    def add_node(self, node: Node) -> bool:
        """See `rclpy.executors.Executor.add_node`. Errors go to the guard of the newest node."""
        self._errors = guard_of(node)
        return bool(super().add_node(node))

    def retire(self, destroy: Callable[[], object]) -> None:
        """Call ``destroy`` as soon as nobody can use what it destroys; at once, where nobody spins.

        The node's lists must not hold it any more. Callable from any thread, callbacks included.
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
        """See `rclpy.executors.Executor.spin_once`. Raises nothing that a callback raised."""
        self._spun_by = threading.current_thread()
        if self._retired:
            self._destroy_unused()
        super().spin_once(timeout_sec)

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        """See `rclpy.executors.Executor.shutdown`. No thread may spin any more."""
        self._await_threads()
        went_well: bool = super().shutdown(timeout_sec)
        with self._retired_lock:
            self._ended = True
            retired, self._retired = self._retired, []
        for one in retired:
            self._destroy(one)
        return went_well

    def _await_threads(self) -> None:
        """Wait for the callbacks in hand, where they have threads of their own."""

    def _destroy_unused(self) -> None:
        # A wait that was interrupted holds a wait set, and would go on to what was ready in it.
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
        except Exception as error:  # One that can't be destroyed must not keep the others.
            self._caught("the end of a topic", error)

    def _caught(self, where: str, error: BaseException) -> None:
        if self._errors is not None:
            self._errors.caught(where, error)

    def _make_handler(self, entity: Any, node: Node, take_from_wait_list: Any) -> Task:
        def take(entity: Any) -> Any:
            # rclpy would never serve an entity again whose message can't even be taken.
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
        """As rclpy's, but a callback that raises answers: who asked must not wait for ever."""
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
        """See `rclpy.executors.Executor.create_task`: goals, and what waits for answers. Without a result."""

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


class OneThread(Steady, SingleThreadedExecutor):
    """rclpy's `SingleThreadedExecutor`, steady."""


class ManyThreads(Steady, MultiThreadedExecutor):
    """rclpy's `MultiThreadedExecutor`, steady."""

    def _await_threads(self) -> None:
        self._executor.shutdown()


def _is_over(task: Future) -> bool:
    return bool(task.done() or task.cancelled())


def _name(entity: Any) -> str:
    for attribute, kind in (("topic_name", "topic"), ("srv_name", "service")):
        if isinstance(name := getattr(entity, attribute, None), str):
            return f"{kind} {name}"
    return type(entity).__name__
