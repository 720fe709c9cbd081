"""The page's connection to the graph: it listens while somebody looks, and passes goals on."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any

from action_msgs.srv import CancelGoal
from sensor_msgs.msg import CompressedImage

from dasha_ros import msg
from dasha_ros.bringup.graph_client import GraphClient
from dasha_ros.client import FocusClient, FocusError, FocusTask
from dasha_ros.perception.labels import canonical
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.fast_subscriber import FastSubscriber
from dasha_ros.watch.feed import Feed
from dasha_ros.watch.orders import GoalOrder, OrderError

_CANCEL_S = 3.0
"""How long a focus server may take to answer a cancel [s]."""
_MOST_GOALS = 8
"""Goals of the page that may be under way. A newer goal replaces an older one, so more is a mistake."""
STATES = ("idle", "exposing", "focusing", "focused", "failed", "restoring", "holding")
"""Names of the states of ``FocusState``."""


class GraphLink:
    """Fills a `Feed` from the topics of a graph.

    Without anybody who looks it has no subscription, so the graph encodes and sends nothing for it.
    """

    def __init__(self, namespace: str, feed: Feed) -> None:
        """Join the graph.

        Raises:
            ConfigError: The namespace or ``ROS_DOMAIN_ID`` is invalid.
        """
        self._client = GraphClient(namespace)
        self.namespace = self._client.namespace
        self._feed = feed
        self._lock, self._calling = threading.Lock(), threading.Lock()
        self._subscriber: FastSubscriber | None = None
        self._focus: FocusClient | None = None
        self._tasks: set[FocusTask] = set()
        self._wanted: frozenset[str] = frozenset()
        """Labels of the newest goal; empty: any."""

    def close(self) -> None:
        """Cancel the page's goals, wait for their end, and leave the graph."""
        self.look(False)
        with self._lock:
            if self._focus is not None:
                self._focus.close()
            self._client.close()

    def look(self, wanted: bool) -> None:
        """Start or stop listening."""
        with self._lock:
            if wanted == (self._subscriber is not None):
                return
            if self._subscriber is not None:
                self._subscriber.close()
                self._subscriber = None
                return
            self._feed.forget("state", "lens", "belief", "labels")
            subscriber = FastSubscriber(self._client.node)
            listen: tuple[tuple[Any, str, Callable[[Any], None], Any], ...] = (
                (CompressedImage, "perception/annotated/compressed", self._on_picture, qos.IMAGE),
                (msg.Percept, "perception/percept", self._on_percept, qos.PERCEPT),
                (msg.PerceptionInfo, "perception/info", self._on_info, qos.STATE),
                (msg.FocusState, "focus/state", self._on_state, qos.STATE),
                (msg.Belief, "focus/belief", self._on_belief, qos.PERCEPT),
                (msg.Reward, "reward", self._on_reward, qos.REWARD),
            )
            for kind, topic, callback, profile in listen:
                subscriber.listen(kind, topic, callback, profile)
            self._subscriber = subscriber

    def check(self) -> None:
        """Tell the page whether there is a graph."""
        servers = self._client.node.count_publishers("focus/state")
        self._feed.fact("graph", {"there": servers > 0, "namespace": self.namespace})

    def send(self, order: GoalOrder) -> None:
        """Send a goal; the page learns its end as the fact ``outcome``.

        Raises:
            OrderError: Too many goals are under way, or the goal can't be sent.
        """
        with self._lock:
            if len(self._tasks) >= _MOST_GOALS:
                raise OrderError(f"{_MOST_GOALS} goals are under way already: wait, or cancel them")
            if self._focus is None:
                self._focus = FocusClient(namespace=self.namespace)
            try:
                task = self._focus.start(
                    order.wanted,
                    any_object=order.any_object,
                    by_priority=order.by_priority,
                    region=order.region,
                    min_distance_m=order.min_distance_m,
                    max_distance_m=order.max_distance_m,
                    min_score=order.min_score,
                    max_brisque=order.max_brisque,
                    max_steps=order.max_steps,
                    max_seconds=order.max_seconds,
                    keep_exposure=order.keep_exposure,
                    hold=order.hold,
                    timeout=None,
                )
            except ValueError as error:
                raise OrderError(f"the goal was not sent: {error}") from error
            self._tasks.add(task)
        what = ", ".join(order.wanted) or ("the region" if any(order.region) else "any object")
        self._feed.fact("outcome", {"goal": what, "ended": False, "text": "sent"})
        task.add_done_callback(lambda task: self._ended(task, what))

    def cancel(self) -> None:
        """End every goal of the focus server, whoever sent it.

        Raises:
            OrderError: The server does not answer.
        """
        with self._calling:
            # A request without an id and a time means all goals (action_msgs/CancelGoal).
            answer = self._client.call(
                CancelGoal, "focus_on_object/_action/cancel_goal", CancelGoal.Request(), _CANCEL_S
            )
        if answer is None:
            raise OrderError(f"no focus server answered the cancel within {_CANCEL_S:g} s")

    def _ended(self, task: FocusTask, what: str) -> None:
        self._tasks.discard(task)
        try:
            result = task.wait(0.0)
        except FocusError as error:
            self._feed.fact("outcome", {"goal": what, "ended": True, "found": False, "text": str(error)})
            return
        steps = f"{result.exposure_steps} + {result.focus_steps} steps, {result.seconds:.1f} s"
        text = f"{result.message} ({steps})" if result.message else f"found in {steps}"
        report = result.report.name if result.report else ""
        outcome = {"goal": what, "ended": True, "found": result.found, "text": text, "report": report}
        self._feed.fact("outcome", outcome)

    def _on_picture(self, message: CompressedImage) -> None:
        self._feed.picture(bytes(message.data))

    def _on_percept(self, message: msg.Percept) -> None:
        self._feed.row(
            t=time.time(),
            exposure=message.capture.exposure_us,
            lens=message.lens.position,
            score=max((f.score for f in message.detections if self._wants(f.label)), default=0.0),
            brisque=message.brisque,
        )
        distance = message.lens.focus_distance_m
        self._feed.fact("lens", {"unit": message.lens.unit, "dioptres": _dioptres(distance)})

    def _wants(self, label: str) -> bool:
        return not self._wanted or label in self._wanted

    def _on_reward(self, message: msg.Reward) -> None:
        self._feed.row(t=time.time(), reward=message.value, agent=message.agent)

    def _on_belief(self, message: msg.Belief) -> None:
        self._feed.fact(
            "belief", {"dioptres": list(message.dioptres), "probability": list(message.probability)}
        )

    def _on_info(self, message: msg.PerceptionInfo) -> None:
        self._feed.fact("labels", list(message.labels))

    def _on_state(self, message: msg.FocusState) -> None:
        self._wanted = frozenset(map(canonical, message.labels))
        self._feed.fact(
            "state",
            {
                "state": STATES[message.state],
                "labels": list(message.labels),
                "region": [
                    message.region.x_min,
                    message.region.y_min,
                    message.region.x_max,
                    message.region.y_max,
                ],
                "step": message.step,
                "exposure": message.exposure_us,
                "lens": message.lens_position,
                "unit": message.lens_unit,
                "distance": message.focus_distance_m,
                "text": message.message,
                "training": message.background,
            },
        )


def _dioptres(distance_m: float) -> float | None:
    """Where the lens focuses [1/m]; ``None`` if it is unknown."""
    if math.isnan(distance_m):
        return None
    return 0.0 if math.isinf(distance_m) else 1.0 / distance_m if distance_m > 0.0 else None
