"""What all nodes share: lifecycle with autostart, parameters, health, a clean start and a clean end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, Generic, TypeVar

import rclpy
from rclpy._rclpy_pybind11 import RCLError
from rclpy.exceptions import NotInitializedException
from rclpy.executors import Executor, ExternalShutdownException, SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from dasha_ros.config import ConfigError, NodeConfig
from dasha_ros.ros.health import Health
from dasha_ros.ros.parameters import Parameters
from dasha_ros.ros.stamps import RosClock

C = TypeVar("C", bound=NodeConfig)

THREAD_SWITCH_S = 0.0005
"""A thread that news woke waits no longer for the one that brought them: Python's own is 5 ms."""


class DashaNode(LifecycleNode, Generic[C]):
    """A lifecycle node that brings itself up.

    Subclasses override `configure`, `activate`, `deactivate` and `cleanup`. An
    exception there becomes a failed transition, an ERROR in the diagnostics and a
    sentence in the log, never a dead process: fix the cause and configure again.
    """

    config_model: ClassVar[type[NodeConfig]]

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.clock = RosClock(self.get_clock())
        self.parameters: Parameters[C] = Parameters(self, self.config_model, self.reconfigure)  # type: ignore[arg-type]
        self.health = Health(self)
        self.is_active = False

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

    def _transition(self, verb: str, step: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            step()
        except Exception as error:  # A node must outlive whatever its parts throw at it.
            self.health.error(f"{self.get_name()} could not {verb}: {error}")
            return TransitionCallbackReturn.FAILURE
        return TransitionCallbackReturn.SUCCESS

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See `configure`."""
        result = self._transition("configure", self.configure)
        if result == TransitionCallbackReturn.FAILURE:
            self.cleanup()
        return result

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See `activate`."""
        super().on_activate(state)
        self.is_active = True
        result = self._transition("activate", self.activate)
        self.is_active = result == TransitionCallbackReturn.SUCCESS
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See `deactivate`."""
        self.is_active = False
        result = self._transition("deactivate", self.deactivate)
        self.health.warn("not active")
        super().on_deactivate(state)
        return result

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See `cleanup`."""
        return self._transition("clean up", self.cleanup)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See `cleanup`."""
        self.is_active = False
        return self._transition("shut down", self.cleanup)

    def start(self) -> None:
        """Configure and activate, unless a lifecycle manager does."""
        if not self.config.autostart:
            return
        if self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()


def run(
    factory: Callable[[], DashaNode[C]],
    args: Sequence[str] | None = None,
    executor: Callable[[], Executor] = SingleThreadedExecutor,
) -> None:
    """Run a node until SIGINT or SIGTERM, then clean up and exit with code 0.

    Parameters that are refused at start end the process with code 2 and the reason.
    """
    sys.setswitchinterval(THREAD_SWITCH_S)
    rclpy.init(args=args)
    node: DashaNode[C] | None = None
    spinner = executor()
    try:
        node = factory()
        spinner.add_node(node)
        node.start()
        spinner.spin()
    except ConfigError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except (RCLError, NotInitializedException):
        # A signal ends the context between any two calls of rclpy; only then is this no failure.
        if rclpy.ok():
            raise
    finally:
        _end(node, spinner)


def _end(node: DashaNode[C] | None, spinner: Executor) -> None:
    halt = partial(spinner.shutdown, timeout_sec=1.0)
    steps: tuple[Callable[[], object], ...] = (halt, rclpy.try_shutdown)
    if node is not None:
        node.is_active = False
        steps = (node.cleanup, halt, node.destroy_node, rclpy.try_shutdown)
    for step in steps:
        try:
            step()
        except KeyboardInterrupt:
            # A second Ctrl-C may land anywhere in here; the process is ending anyway.
            continue
        except (RCLError, NotInitializedException):
            # rclpy's handler of the signal ended the context between the call's look and its work.
            if rclpy.ok():
                raise
