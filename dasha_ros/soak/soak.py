"""Sends goals to a graph under test, checks its promises, and counts."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import deepcopy
from random import Random

from lifecycle_msgs.msg import Transition

from dasha_ros.emulators.wall_clock import WallClock
from dasha_ros.ros.transport.middleware_watch import CHECK_S, PATIENCE
from dasha_ros.soak.disk import SmallDisk
from dasha_ros.soak.goals import Ending, Goal
from dasha_ros.soak.graph import SoakError, SoakGraph
from dasha_ros.soak.memory import MemorySlope
from dasha_ros.soak.tally import Tally
from dasha_ros.soak.worlds import SCENES, Shown, draw, light
from dasha_ros.twin.world import World

ANSWER_S = 60.0
"""An undisturbed goal ends long before."""
PROMISED_S = 15.0
"""The promise: a disturbed goal ends within this time, and then restarted drivers get their settings back."""
_MB = 1e6
_TELL_AFTER = 50
"""Goals or cycles between two lines of progress while memory is measured."""
_CYCLE = {
    "deactivate": Transition.TRANSITION_DEACTIVATE,
    "clean up": Transition.TRANSITION_CLEANUP,
    "configure": Transition.TRANSITION_CONFIGURE,
    "activate": Transition.TRANSITION_ACTIVATE,
}
_CYCLE_S = 15.0
_MOST_AGAIN = 3
"""How often a round is played again at most."""
_STOP_IS_SEEN_S = 10.0 + PATIENCE * CHECK_S
"""A node whose middleware stopped has ended after this time [s], with a reserve for a busy machine."""


class Soak:
    """The state that the rounds of a soak share.

    Attributes:
        graph: The graph under test.
        disk: The disk of the graph's reports.
        clock: The wall clock of the graph's processes; ``None`` if this machine can't set it.
        within_s: See `PROMISED_S`; a machine that does much else needs longer [s].
        tally: The counts.
        random: The source of every choice.
        shown: The scene before the camera.
    """

    def __init__(
        self,
        graph: SoakGraph,
        tally: Tally,
        random: Random,
        say: Callable[[str], None],
        *,
        disk: SmallDisk,
        clock: WallClock | None,
        within_s: float = PROMISED_S,
    ) -> None:
        self.graph, self.disk, self.clock, self.tally = graph, disk, clock, tally
        self.within_s = within_s
        self.random, self._say = random, say
        self.shown: Shown = draw(random)

    def begin(self) -> None:
        """Set a known scene."""
        self.change_scene(self.shown)

    def change_scene(self, shown: Shown) -> None:
        """Show another scene in another light."""
        self.graph.set_world(World(shown.scene, light(self.random)))
        self.shown = shown

    def send(self, *labels: str, max_seconds: float = 0.0) -> Goal:
        """Send a goal and count it; it may take ``max_seconds`` (0: the server's own limit)."""
        self.tally.goals += 1
        return self.graph.goals.send(*labels, max_seconds=max_seconds)

    def end_of(self, goal: Goal, seconds: float, what: str) -> Ending | None:
        """Wait for the end of a goal; ``None``, and a broken promise, if it does not end in time."""
        ending = self.graph.until(goal.poll, seconds)
        if ending is None:
            self.breaks(f"{what}: the goal did not end within {seconds:g} s")
            goal.cancel()
            return None
        self.tally.answered += 1
        return ending

    def finds_what_is_shown(self, what: str) -> bool:
        """Whether an undisturbed goal finds the object of the scene."""
        ending = self.end_of(self.send(self.shown.label), ANSWER_S, f"{what}, the next goal")
        if ending is None:
            return False
        if not ending.found:
            self.breaks(
                f"{what}: the next goal, for {self.shown.label} in {self.shown.scene}, "
                f"ended with {ending.code}: {ending.message}"
            )
            return False
        return True

    def are_back(self, before: tuple[float, float]) -> bool:
        """Whether exposure and lens return to their settings from before the goal."""
        return bool(self.graph.until(lambda: self.graph.settings() == before, self.within_s))

    def measure_memory(self, goals: int) -> None:
        """Send undisturbed goals, and note how the processes grow with them.

        A stage of its own: a process that is started again, a node that is configured anew or a scene that
        is shown for the first time makes a process larger once, and not with each goal.
        """
        for shown in SCENES:
            self.change_scene(shown)
            self.finds_what_is_shown("a goal before memory is measured")
        slope = MemorySlope()
        for number in range(1, goals + 1):
            self.finds_what_is_shown("a goal while memory is measured")
            self._sample(slope, number)
            if number % _TELL_AFTER == 0 or number == goals:
                self._say(f"memory after {number} of {goals} undisturbed goals")
        self.tally.memory_of_each["goals"] = slope.of_each()
        if (growth := slope.per_1000()) is not None:
            self.tally.memory_mb_per_1000_goals, self.tally.memory_error_mb = growth

    def measure_cycles(self, cycles: int) -> None:
        """Deactivate, clean up, configure and activate every node, and note how the processes grow with it.

        A cycle that fails is a broken promise.

        Raises:
            SoakError: The graph does not become active again.
        """
        slope = MemorySlope()
        for number in range(1, cycles + 1):
            for node in self.graph.session.pids():
                for name, transition in _CYCLE.items():
                    if not self.graph.client.change_state(node, transition, _CYCLE_S):
                        self.breaks(f"cycle {number}: {node} did not {name}")
            self.graph.until_active()
            self._sample(slope, number)
            if number % _TELL_AFTER == 0 or number == cycles:
                self._say(f"memory after {number} of {cycles} lifecycle cycles of every node")
        self.finds_what_is_shown("a goal after all lifecycle cycles")
        self.tally.memory_of_each["cycles"] = slope.of_each()
        if (growth := slope.per_1000()) is not None:
            self.tally.memory_mb_per_1000_cycles, self.tally.memory_error_mb_cycles = growth

    def _sample(self, slope: MemorySlope, count: int) -> None:
        pids = self.graph.session.pids()
        for name, memory in self.graph.session.memory().items():
            if name in pids:
                slope.add(name, pids[name], count, memory.rss / _MB)

    def breaks(self, sentence: str) -> None:
        """Count a broken promise, and print it."""
        self.tally.breaks(sentence)
        self._say(f"BROKEN: {sentence}")

    def play(self, name: str, disturb: Callable[[Soak], None]) -> None:
        """Play a round, and check the graph after it.

        A round that breaks a promise because Fast DDS stopped in a node (its bug, see `middleware_watch`) is
        played again. The tally tells that.

        Raises:
            SoakError: The soak can't continue.
        """
        before = deepcopy(self.tally)
        for left in range(_MOST_AGAIN, -1, -1):
            if self._counts(name, disturb, may_repeat=left > 0):
                return
            self.tally.void(before, name)
            self._say(f"{name}: the middleware of a node stopped, so that the round is played again")
            self.graph.until_active()
            # A twin_world that was started again shows the world of its parameters.
            self.change_scene(self.shown)

    def _counts(self, name: str, disturb: Callable[[Soak], None], *, may_repeat: bool) -> bool:
        """Play a round; whether it counts: it does not if it can be played again, and a stop broke it."""
        tally, began = self.tally, time.monotonic()
        broken, unexplained = len(tally.broken), tally.unexplained
        try:
            disturb(self)
            self.graph.until_active()
        except SoakError:
            if may_repeat and tally.unexplained == unexplained and self._has_stopped():
                return False
            raise
        for event in self.graph.lost:
            self.breaks(f"during {name}: {event}")
            tally.processes_lost += 1
        self.graph.lost.clear()
        may_repeat = may_repeat and tally.unexplained == unexplained
        if may_repeat and len(tally.broken) > broken and self._has_stopped():
            return False
        self._count_stops()
        tally.rounds[name] += 1
        self._say(f"{name} ({time.monotonic() - began:.1f} s)")
        return True

    def _has_stopped(self) -> bool:
        """Whether the middleware of a node stopped: one that just did so ends a little later."""
        self.graph.until(lambda: self.graph.stopped, _STOP_IS_SEEN_S)
        return self._count_stops() > 0

    def _count_stops(self) -> int:
        stops = len(self.graph.stopped)
        self.graph.stopped.clear()
        self.tally.middleware_stops += stops
        return stops
