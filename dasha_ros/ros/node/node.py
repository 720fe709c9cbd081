"""The base class of all nodes: lifecycle with autostart, parameters and diagnostics."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Generic, TypeVar

from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription

from dasha_ros.config import NodeConfig
from dasha_ros.freshness.command import new_instance
from dasha_ros.ros.node.condition import Condition, warning
from dasha_ros.ros.node.delivery import await_delivery
from dasha_ros.ros.node.guard import Guard
from dasha_ros.ros.node.health import Health
from dasha_ros.ros.node.keeping import Keeping
from dasha_ros.ros.node.lifecycle import SafeLifecycleNode
from dasha_ros.ros.node.memory import release_memory, settle_memory, tidy_memory
from dasha_ros.ros.node.parameter_requests import reject_unknown_types
from dasha_ros.ros.node.parameters import Parameters
from dasha_ros.ros.node.qos_overrides import QosOverrides
from dasha_ros.ros.node.retiring import retire
from dasha_ros.ros.transport.joining import joining
from dasha_ros.ros.transport.stamps import RosClock
from dasha_ros.ros.validation.exclusive_topics import ExclusiveTopics
from dasha_ros.ros.validation.rejections import Rejections
from dasha_ros.ros.validation.unheard import Unheard

C = TypeVar("C", bound=NodeConfig)

_LOOK_S = 1.0
"""How often a node looks at the graph [s]."""
_TIDY_S = 10.0
"""How often a node that has a process to itself tidies its memory [s]."""
_TURN_S = 0.05
"""How often a transition that waits for its turn looks whether the node ends [s]."""


class DashaNode(Keeping, SafeLifecycleNode, Generic[C]):
    """A lifecycle node that configures and activates itself.

    Subclasses override `configure`, `activate`, `deactivate` and `cleanup`. If one of them raises,
    the transition fails, and the diagnostics and the log say why; the process goes on, and the node
    can be configured again. Exceptions of all other callbacks go to the `guard`.
    """

    config_model: ClassVar[type[NodeConfig]]

    def __init__(self, name: str) -> None:
        self._qos_overrides = QosOverrides(self)
        with joining():
            super().__init__(name)
        self._qos_overrides.check()
        self.clock = RosClock(self.get_clock())
        self.steady = self.clock.steady
        self.parameters: Parameters[C] = Parameters(
            self,
            self.config_model,  # type: ignore[arg-type]
            self._reconfigure,
            self.refuse_change,
            lambda: str(self._state_machine.current_state[1]),
        )
        reject_unknown_types(self)
        self.health = Health(self)
        self.instance = new_instance(self.get_fully_qualified_name())
        """The node's name and an id that is new for each process."""
        self.rejections, self.exclusive_topics = Rejections(self.get_logger()), ExclusiveTopics(self)
        self.unheard = Unheard(self)
        self.health.watch("lifecycle", self._lifecycle)
        self.health.watch("unheard topics", self.unheard.condition)
        self.health.watch("rejections", self.rejections.condition)
        self.health.watch("exclusive topics", self.exclusive_topics.condition)
        self.health.show("rejections", self.rejections.values)
        # Not on simulated time, which may stop.
        self.create_timer(_LOOK_S, self._look_at_graph, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self.guard = Guard(self.get_logger(), self._report_bug)
        self.is_active = self.is_loading = self._was_active = False
        self._transitions, self._ending, self._ended = threading.RLock(), False, False
        self._has_process = False

    def own_process(self) -> None:
        """Keep the process's memory small from now on: it is this node's alone."""
        self._has_process = True
        self.create_timer(_TIDY_S, tidy_memory, clock=Clock(clock_type=ClockType.STEADY_TIME))

    @property
    def config(self) -> C:
        """The current parameters."""
        return self.parameters.values

    def create_publisher(
        self, msg_type: Any, topic: str, qos_profile: QoSProfile, **options: Any
    ) -> Publisher:
        """See `rclpy.node.Node.create_publisher`; the user may override the quality of service.

        Raises:
            ConfigError: An override is impossible.
        """
        profile, overrides = self._qos_overrides.apply(topic, qos_profile, "publisher")
        if overrides is not None:
            options["qos_overriding_options"] = overrides
        return super().create_publisher(msg_type, topic, profile, **options)

    def create_subscription(
        self, msg_type: Any, topic: str, callback: Callable[..., Any], qos_profile: QoSProfile, **options: Any
    ) -> Subscription:
        """See `rclpy.node.Node.create_subscription` and `create_publisher`."""
        profile, overrides = self._qos_overrides.apply(topic, qos_profile, "subscription")
        if overrides is not None:
            options["qos_overriding_options"] = overrides
        return super().create_subscription(msg_type, topic, callback, profile, **options)

    def configure(self) -> None:
        """Create what the node needs: models, topics and threads; see `keep`."""

    def activate(self) -> None:
        """Start working."""

    def deactivate(self) -> None:
        """Stop working, but keep what `configure` made."""

    def cleanup(self) -> None:
        """Forget what `configure` made, after all that was kept is released.

        Called after `deactivate` has succeeded. Both are called in any state, after half a `configure`, too.
        """

    def reconfigure(self, config: C) -> None:
        """React to changed parameters; ``config`` is valid and active."""

    def refuse_change(self, config: C) -> str:
        """Return why a valid change can't be made, or "".

        An open device may have limits of its own. Not called for the parameters at start.
        """
        return ""

    def _reconfigure(self, config: C) -> None:
        try:
            self.reconfigure(config)
        except Exception as error:  # The parameters are set all the same, so the diagnostics must say it.
            self.health.count("internal_errors")
            self.health.error("parameters", f"{self.get_name()} could not apply its parameters: {error}")
        else:
            self.health.clear("parameters")
            self.health.update()

    def _report_bug(self, sentence: str, is_new: bool) -> None:
        self.health.count("internal_errors")
        if is_new:
            # This warning stays until the node ends, because nothing has fixed the bug.
            self.health.warn("bug", f"{sentence}; the node goes on, see its log")

    @contextmanager
    def _turn(self) -> Iterator[bool]:
        """Wait until no other transition is in progress; ``False`` if the node ends for good meanwhile.

        Transitions run in the executor, and the last clean-up may need the executor: neither may wait for the
        other.
        """
        while not self._transitions.acquire(timeout=_TURN_S):
            if self._ending:
                yield False
                return
        try:
            yield True
        finally:
            self._transitions.release()

    def _transition(self, verb: str, step: Callable[[], None]) -> TransitionCallbackReturn:
        with self._turn() as is_mine:
            if not is_mine or self._ended:
                return TransitionCallbackReturn.FAILURE
            try:
                step()
            except Exception as error:  # The node must survive whatever its parts raise.
                self.health.error("transition", f"{self.get_name()} could not {verb}: {error}")
                return TransitionCallbackReturn.FAILURE
            if verb in {"configure", "activate"}:
                # A clean-up after a failure does not fix it.
                self.health.clear("transition")
            return TransitionCallbackReturn.SUCCESS

    def _leave(self) -> None:
        """Stop working, and release everything once the last messages have arrived."""
        try:
            self.deactivate()
        finally:
            await_delivery(self)
        try:
            self.release_kept()
        finally:
            self.cleanup()

    def _look_at_graph(self) -> None:
        """Look for other publishers in the graph, and for topics that do not arrive."""
        self.rejections.look(self)
        self.exclusive_topics.look()
        self.unheard.look()
        if self.is_active:
            self._qos_overrides.look()

    def _lifecycle(self) -> Condition | None:
        is_paused = self._was_active and not self.is_active and not self._ending
        return warning("not active") if is_paused else None

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See `configure`."""
        before = set(self.endpoints())
        self.is_loading = True
        result = self._transition("configure", self.configure)
        self.is_loading = False
        if result == TransitionCallbackReturn.FAILURE:
            self._transition("clean up", self._leave)
            # A part that failed while it was made could not be kept, and left its topics so far.
            for endpoint, destroy in self.endpoints().items():
                if endpoint not in before:
                    destroy(endpoint)
        return result

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See `activate`."""
        super().on_activate(state)
        with self._turn() as is_mine:
            if not is_mine:
                return TransitionCallbackReturn.FAILURE
            self.is_active = True
            result = self._transition("activate", self.activate)
            self.is_active = result == TransitionCallbackReturn.SUCCESS
            self._was_active = self._was_active or self.is_active
            if self.is_active and self._has_process:
                settle_memory()
        self.health.update()
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See `deactivate`."""
        self.is_active = False
        self.exclusive_topics.clear()
        result = self._transition("deactivate", self.deactivate)
        self.health.update()
        super().on_deactivate(state)
        return result

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See `cleanup`."""
        result = self._transition("clean up", self._leave)
        # Runs when the last callback that used the released objects has ended.
        retire(self, release_memory)
        return result

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See `cleanup`."""
        self.is_active = False
        self.exclusive_topics.clear()
        return self._transition("shut down", self._leave)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Clean up after a broken transition: back to unconfigured, or finalized if that fails too."""
        self.is_active = False
        return self._transition("recover", self._leave)

    def start(self) -> None:
        """Configure and activate the node, unless a lifecycle manager does."""
        if not self.config.autostart:
            return
        if self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    def end(self) -> bool:
        """Clean up for good after any transition in progress, and return whether that succeeded.

        The executor must keep spinning: goals that are ending need it. Transitions that wait for their turn
        fail.
        """
        self._ending = True
        with self._transitions:
            self.is_active = False
            self.exclusive_topics.clear()
            result = self._transition("clean up", self._leave)
            self._ended = True
        if result != TransitionCallbackReturn.SUCCESS:
            await_delivery(self)  # the diagnostics say why
        return bool(result == TransitionCallbackReturn.SUCCESS)
