"""What all nodes share: lifecycle with autostart, parameters, health, a clean start and a clean end."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import ClassVar, Generic, TypeVar

import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.signals import SignalHandlerOptions

from dasha_ros.config import ConfigError, NodeConfig
from dasha_ros.freshness import limits
from dasha_ros.freshness.command import new_instance
from dasha_ros.ros.node.condition import Condition, warning
from dasha_ros.ros.node.executor import OneThread, Steady
from dasha_ros.ros.node.guard import Guard
from dasha_ros.ros.node.health import Health
from dasha_ros.ros.node.lifecycle import SteadyLifecycleNode
from dasha_ros.ros.node.memory import give_back, leave_out_generator, share_one_heap
from dasha_ros.ros.node.parameter_requests import refuse_unreadable
from dasha_ros.ros.node.parameters import Parameters
from dasha_ros.ros.node.retiring import retire
from dasha_ros.ros.transport.stamps import RosClock
from dasha_ros.ros.validation.heard import Heard
from dasha_ros.ros.validation.owned import Owned
from dasha_ros.system.folders import settle
from dasha_ros.system.streams import take_every_character

C = TypeVar("C", bound=NodeConfig)

THREAD_SWITCH_S = 0.0005
"""A thread that news woke waits no longer for the one that brought them: Python's own is 5 ms."""
NO_LOG_FILES = "--disable-external-lib-logs"
"""The argument by which a process of ROS writes no log file of its own."""
_LOOK_S = 1.0
"""A signal that comes just before a wait begins does not wake it."""
_WAITS_FAILED = 50
"""So often in a row the executor may fail to wait for anything; then the process ends, to be started anew."""
_PAUSE_S = 0.05
"""After a wait that failed."""


class DashaNode(SteadyLifecycleNode, Generic[C]):
    """A lifecycle node that brings itself up.

    Subclasses override `configure`, `activate`, `deactivate` and `cleanup`. An
    exception there becomes a failed transition, an ERROR in the diagnostics and a
    sentence in the log, never a dead process: fix the cause and configure again.
    What any other callback raises goes to the `guard`, and the node goes on.
    """

    config_model: ClassVar[type[NodeConfig]]

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.clock = RosClock(self.get_clock())
        self.steady = self.clock.steady
        self.parameters: Parameters[C] = Parameters(
            self,
            self.config_model,  # type: ignore[arg-type]
            self._reconfigure,
            self.refuse_change,
            lambda: str(self._state_machine.current_state[1]),
        )
        refuse_unreadable(self)
        self.health = Health(self)
        self.instance = new_instance(self.get_fully_qualified_name())
        """Who this is: the node's name, and an id that is new whenever the process is started."""
        self.heard, self.owned = Heard(self.get_logger()), Owned(self)
        self.health.watch("lifecycle", self._lifecycle)
        self.health.watch("heard", self.heard.condition)
        self.health.watch("owned", self.owned.condition)
        self.health.show("heard", self.heard.values)
        # Not on simulated time, which a stranger may stop.
        self.create_timer(_LOOK_S, self._look_round, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self.guard = Guard(self.get_logger(), self._tell_of_bug)
        self.is_active = self.is_loading = self._was_active = False
        self._transitions, self._ended = threading.RLock(), False

    @property
    def config(self) -> C:
        """The parameters in force."""
        return self.parameters.values

    def configure(self) -> None:
        """Create what the node needs: models, topics, threads."""

    def activate(self) -> None:
        """Begin to work."""

    def deactivate(self) -> None:
        """Stop working, keep everything."""

    def cleanup(self) -> None:
        """Give back what `configure` made. Must be callable in any state."""

    def reconfigure(self, config: C) -> None:
        """A parameter was changed; ``config`` is validated and in force."""

    def refuse_change(self, config: C) -> str:
        """Why a change can't be made although its values are in their ranges, empty when it can.

        A device that was opened may have limits of its own. Not asked at start.
        """
        return ""

    def _reconfigure(self, config: C) -> None:
        try:
            self.reconfigure(config)
        except Exception as error:  # The parameters are in force all the same: whoever set them must be told.
            self.health.count("internal_errors")
            self.health.error("parameters", f"{self.get_name()} could not take up its parameters: {error}")
        else:
            self.health.clear("parameters")
            self.health.update()

    def _tell_of_bug(self, sentence: str, is_new: bool) -> None:
        self.health.count("internal_errors")
        if is_new:
            # It stands until the node ends: whatever it was, nobody has mended it.
            self.health.warn("bug", f"{sentence}; the node goes on, see its log")

    def _transition(self, verb: str, step: Callable[[], None]) -> TransitionCallbackReturn:
        with self._transitions:
            if self._ended:
                return TransitionCallbackReturn.FAILURE
            try:
                step()
            except Exception as error:  # A node must outlive whatever its parts throw at it.
                self.health.error("transition", f"{self.get_name()} could not {verb}: {error}")
                return TransitionCallbackReturn.FAILURE
            if verb in {"configure", "activate"}:
                # A clean-up after a failure makes nothing good.
                self.health.clear("transition")
            return TransitionCallbackReturn.SUCCESS

    def _look_round(self) -> None:
        """Look who else is in the graph."""
        self.heard.look(self)
        self.owned.look()

    def _lifecycle(self) -> Condition | None:
        return warning("not active") if self._was_active and not self.is_active else None

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See `configure`."""
        self.is_loading = True
        result = self._transition("configure", self.configure)
        self.is_loading = False
        if result == TransitionCallbackReturn.FAILURE:
            self._transition("clean up", self.cleanup)
        return result

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See `activate`."""
        super().on_activate(state)
        with self._transitions:
            self.is_active = True
            result = self._transition("activate", self.activate)
            self.is_active = result == TransitionCallbackReturn.SUCCESS
            self._was_active = self._was_active or self.is_active
        self.health.update()
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See `deactivate`."""
        self.is_active = False
        self.owned.clear()
        result = self._transition("deactivate", self.deactivate)
        self.health.update()
        super().on_deactivate(state)
        return result

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See `cleanup`."""
        result = self._transition("clean up", self.cleanup)
        # When the last callback that used what is gone has ended.
        retire(self, give_back)
        return result

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See `cleanup`."""
        self.is_active = False
        self.owned.clear()
        return self._transition("shut down", self.cleanup)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """A transition that broke: back to unconfigured, or, where not even that works, finalized."""
        self.is_active = False
        return self._transition("recover", self.cleanup)

    def start(self) -> None:
        """Configure and activate, unless a lifecycle manager does."""
        if not self.config.autostart:
            return
        if self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    def end(self) -> bool:
        """Clean up for good, once a transition in progress is over. Returns whether that went well.

        The executor must spin meanwhile: a goal that ends needs it.
        """
        with self._transitions:
            self.is_active = False
            self.owned.clear()
            result = self._transition("clean up", self.cleanup)
            self._ended = True
        return result == TransitionCallbackReturn.SUCCESS


def run(
    factory: Callable[[], DashaNode[C]],
    args: Sequence[str] | None = None,
    executor: Callable[[], Steady] = OneThread,
) -> None:
    """Run a node until SIGINT or SIGTERM, then clean up and exit with code 0.

    Parameters that are refused at start end the process with code 2 and the reason, a
    clean-up that fails or takes too long with code 1.
    """
    share_one_heap()
    leave_out_generator()
    take_every_character()
    if NO_LOG_FILES not in (sys.argv if args is None else args):
        settle()
    sys.setswitchinterval(THREAD_SWITCH_S)
    ends: SimpleQueue[BaseException | None] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        # A handler may interrupt whatever holds a lock; of all queues and events only this one allows it.
        signal.signal(number, lambda *_: ends.put(None))
    # The handlers of rclpy end the context, and with it all that a node has to say at its end.
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = factory()
    except ConfigError as error:
        rclpy.try_shutdown()
        print(f"{ConfigError.WORDS}{error}", file=sys.stderr)
        raise SystemExit(ConfigError.EXIT_CODE) from None
    threading.excepthook = lambda end: _thread_ended(node, end)
    spinner, over = executor(), threading.Event()
    spinner.add_node(node)
    # Python handles signals in the main thread alone, and not during a call of C: so that one only waits.
    life = threading.Thread(target=_live, args=(node, spinner, over, ends), name="executor", daemon=True)
    life.start()
    trouble = _await_end(ends)
    # A library that keeps Python's lock keeps the thread below from working: then all stacks are printed.
    faulthandler.dump_traceback_later(limits.STUCK_S, exit=True)
    threading.Thread(target=_cut_off, args=(node,), name="patience", daemon=True).start()
    went_well = node.end()
    over.set()
    spinner.create_task(lambda: None)  # wakes it
    life.join()
    spinner.shutdown()
    node.destroy_node()
    rclpy.try_shutdown()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Python gives its last moments back to the default, which is death.
        signal.signal(number, signal.SIG_IGN)
    if trouble is not None:
        raise trouble
    if not went_well:
        raise SystemExit(1)


def _await_end(ends: SimpleQueue[BaseException | None]) -> BaseException | None:
    """Wait for a signal, which is `None`, or for trouble."""
    while True:
        with suppress(Empty):
            return ends.get(timeout=_LOOK_S)


def _live(
    node: DashaNode[C], spinner: Steady, over: threading.Event, ends: SimpleQueue[BaseException | None]
) -> None:
    """Start a node and serve it until ``over``. An executor that can't wait any more ends the process."""
    try:
        node.start()
    except BaseException as error:
        ends.put(error)
    failed = 0
    while not over.is_set():
        try:
            spinner.spin_once()
            failed = 0
        except BaseException as error:  # The clean-up that follows needs the executor all the same.
            node.guard.caught("the executor", error)
            failed += 1
            if failed == _WAITS_FAILED:
                ends.put(error)
            over.wait(_PAUSE_S)


def _thread_ended(node: DashaNode[C], end: threading.ExceptHookArgs) -> None:
    """What ends a thread of Python is told as what a callback raises."""
    if end.exc_value is not None:
        node.guard.caught(f"thread {end.thread.name if end.thread else '?'}, which has ended", end.exc_value)


def _cut_off(node: DashaNode[C]) -> None:
    """End the process whatever keeps it."""
    time.sleep(limits.STILL_LOADS_S)
    if node.is_loading:
        os._exit(0)
    time.sleep(limits.NODE_ENDS_S - limits.STILL_LOADS_S)
    sentence = f"{node.get_name()} did not clean up within {limits.NODE_ENDS_S:g} s and was cut off"
    print(sentence, file=sys.stderr, flush=True)
    os._exit(1)
