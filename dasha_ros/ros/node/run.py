"""Runs a node's process: start, signals, clean-up, and a time limit for everything that may hang."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TypeVar

import rclpy
from rclpy.signals import SignalHandlerOptions

from dasha_ros.config import ConfigError, NodeConfig
from dasha_ros.ros.node.executor import SafeExecutor, SafeSingleThreadedExecutor
from dasha_ros.ros.node.memory import share_one_heap, skip_message_generator
from dasha_ros.ros.node.node import DashaNode
from dasha_ros.ros.transport.joining import joining
from dasha_ros.ros.transport.middleware_watch import watch_middleware
from dasha_ros.system import shutdown_limits
from dasha_ros.system.exit import end_within
from dasha_ros.system.folders import NO_LOG_FILES, settle
from dasha_ros.system.signals import hangup
from dasha_ros.system.streams import take_every_character

C = TypeVar("C", bound=NodeConfig)

THREAD_SWITCH_S = 0.0005
"""Python's switch interval [s]. Its default of 5 ms would delay the thread that a message woke."""
_POLL_S = 1.0
"""A signal that arrives just before a wait begins does not interrupt it, so waits are this short."""
_FAILED_WAITS = 50
"""After this many failed waits in a row the executor is broken, and the process ends to be restarted."""
_PAUSE_S = 0.05
"""Pause after a failed wait [s]."""


def run(
    factory: Callable[[], DashaNode[C]],
    args: Sequence[str] | None = None,
    executor: Callable[[], SafeExecutor] = SafeSingleThreadedExecutor,
) -> None:
    """Run a node until SIGINT, SIGTERM or SIGHUP, then clean up and exit with code 0.

    SIGQUIT prints where each thread stands and kills the process. It ends with code 2 and the reason if
    arguments, parameters or keys are invalid at start, and with code 1 if the clean-up fails or takes too
    long, or if the middleware has stopped.
    """
    faulthandler.enable()
    # A shell that starts it in the background may have it ignored.
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    faulthandler.register(signal.SIGQUIT, chain=True)
    share_one_heap()
    skip_message_generator()
    take_every_character()
    if NO_LOG_FILES not in (sys.argv if args is None else args):
        settle()
    sys.setswitchinterval(THREAD_SWITCH_S)
    # Its client is gone, or not known here yet and then asks again; to a user it says nothing.
    warnings.filterwarnings("ignore", "failed to send response", RuntimeWarning)
    ends: SimpleQueue[BaseException | None] = SimpleQueue()
    # The end of a terminal sends SIGHUP to all nodes that were started there, so that nobody else restores.
    numbers = (signal.SIGINT, signal.SIGTERM, *hangup())
    for number in numbers:
        # A handler may interrupt a thread that holds a lock. SimpleQueue is the only queue that allows this.
        signal.signal(number, lambda *_: ends.put(None))
    try:
        _join(args)
        node = factory()
    except ConfigError as error:
        end_within(shutdown_limits.PYTHON_EXITS_S, ConfigError.EXIT_CODE)
        rclpy.try_shutdown()
        print(f"{ConfigError.WORDS}{error}", file=sys.stderr)
        raise SystemExit(ConfigError.EXIT_CODE) from None
    node.own_process()
    threading.excepthook = lambda end: _thread_ended(node, end)
    watch_middleware(node.get_name())
    spinner, over = executor(), threading.Event()
    spinner.add_node(node)
    # Python handles signals only in the main thread, and not during a call into C. So that thread only waits.
    life = threading.Thread(target=_live, args=(node, spinner, over, ends), name="executor", daemon=True)
    life.start()
    trouble = _await_end(ends)
    # If a library keeps Python's lock, the thread below can't work. This prints all stacks and exits.
    faulthandler.dump_traceback_later(shutdown_limits.STUCK_S, exit=True)
    threading.Thread(target=_cut_off, args=(node,), name="patience", daemon=True).start()
    went_well = node.end()
    over.set()
    spinner.create_task(lambda: None)  # wakes it
    life.join()
    spinner.shutdown()
    node.destroy_node()
    rclpy.try_shutdown()
    for number in numbers:
        # While Python exits, it restores the default handlers, and a second signal would kill the process.
        signal.signal(number, signal.SIG_IGN)
    end_within(shutdown_limits.PYTHON_EXITS_S, 0 if went_well and trouble is None else 1)
    if trouble is not None:
        raise trouble
    if not went_well:
        raise SystemExit(1)


def _join(args: Sequence[str] | None) -> None:
    """Take ROS's arguments.

    Raises:
        ConfigError: ROS does not understand one, or can't read a parameter file that one names.
    """
    with joining("use the arguments after --ros-args" if "--ros-args" in (args or sys.argv) else "start"):
        # rclpy's signal handlers would shut the context down, and the node could publish nothing at its end.
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)


def _await_end(ends: SimpleQueue[BaseException | None]) -> BaseException | None:
    """Wait for a signal, which gives `None`, or for an error."""
    while True:
        with suppress(Empty):
            return ends.get(timeout=_POLL_S)


def _live(
    node: DashaNode[C], spinner: SafeExecutor, over: threading.Event, ends: SimpleQueue[BaseException | None]
) -> None:
    """Start a node and serve it until ``over``. The process ends if the executor can no longer wait."""
    try:
        node.start()
    except BaseException as error:
        ends.put(error)
    failed = 0
    while not over.is_set():
        try:
            spinner.spin_once()
            failed = 0
        except BaseException as error:  # The clean-up still needs the executor.
            node.guard.caught("the executor", error)
            failed += 1
            if failed == _FAILED_WAITS:
                ends.put(error)
            over.wait(_PAUSE_S)


def _thread_ended(node: DashaNode[C], end: threading.ExceptHookArgs) -> None:
    """Report an exception that ended a thread like one that a callback raised."""
    if end.exc_value is not None:
        node.guard.caught(f"thread {end.thread.name if end.thread else '?'}, which ended", end.exc_value)


def _cut_off(node: DashaNode[C]) -> None:
    """End the process after a time limit, whatever it is doing."""
    time.sleep(shutdown_limits.STILL_LOADS_S)
    if node.is_loading:
        os._exit(0)
    time.sleep(shutdown_limits.NODE_ENDS_S - shutdown_limits.STILL_LOADS_S)
    sentence = f"{node.get_name()} did not clean up within {shutdown_limits.NODE_ENDS_S:g} s and was stopped"
    # What each thread waits for, for whoever looks into it.
    faulthandler.dump_traceback()
    print(sentence, file=sys.stderr, flush=True)
    os._exit(1)
