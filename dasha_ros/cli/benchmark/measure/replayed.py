"""``dasha benchmark replay``: goals that are recorded on the twin, and played again from their recordings."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from dasha_ros.benchmark.episodes import Goal, Start, draw_start
from dasha_ros.benchmark.trials.replayed import End, Replayed
from dasha_ros.bringup import graph as bringup
from dasha_ros.bringup.session import Session
from dasha_ros.cli.benchmark.measure.recorded import recorder
from dasha_ros.cli.graph.ready import GraphError, wait_until_active
from dasha_ros.client import FocusClient
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.optics.profiles import lens_model
from dasha_ros.ros.actuation.actuators import Actuators
from dasha_ros.ros.actuation.episode_reset import EpisodeReset, WorldRefused

_ACTIVE_S = 60.0
_ANSWER_S = 10.0
_GOAL_S = 600.0
"""Longest goal [s]: a graph that never ends a goal must not stop the benchmark."""
_HEARD = "camera and lens are heard"
"""What the recorder says: a goal that begins before can't be replayed."""


def replayed_goals(goals: Sequence[tuple[Goal, int]]) -> Iterator[Replayed]:
    """Record goals one after another on one graph, then play each in a graph of its own.

    Args:
        goals: What to look for, each with the seed that draws light, distances, exposure and lens at its
            start.

    Yields:
        Each pair, as soon as it was replayed.

    Raises:
        GraphError: A graph does not come up or does not answer.
        OSError: The recorder does not start, or the disk is full.
    """
    lens, table = lens_model(), exposure_table()
    starts = [draw_start(goal, seed, lens, table) for goal, seed in goals]
    with tempfile.TemporaryDirectory(prefix="dasha-replay-") as place:
        folders = [Path(place, f"goal-{i}") for i in range(len(goals))]
        recorded = _recorded(goals, starts, folders)
        for (goal, seed), start, folder, end in zip(goals, starts, folders, recorded, strict=True):
            yield Replayed.of(goal, seed, end, _replayed(goal, start, folder), lens)


def _recorded(
    goals: Sequence[tuple[Goal, int]], starts: Sequence[Start], folders: Sequence[Path]
) -> list[End]:
    with ExitStack() as stack:
        graph = _Running(stack, bringup.Options())
        client = graph.session.client
        reset = stack.enter_context(closing(EpisodeReset(client.node, graph.actuators, graph.until)))
        ends = []
        for (goal, _), start, folder in zip(goals, starts, folders, strict=True):
            try:
                reset.set_world(start.world)
            except WorldRefused as error:
                raise GraphError(str(error)) from error
            with recorder(client.namespace, folder, "raw", _HEARD):
                ends.append(graph.play(goal, start))
        return ends


def _replayed(goal: Goal, start: Start, folder: Path) -> End:
    options = bringup.Options(rig="replay", overrides=(f"camera_driver.recording={folder}",))
    with ExitStack() as stack:
        return _Running(stack, options).play(goal, start)


class _Running:
    """A graph that plays goals."""

    def __init__(self, stack: ExitStack, options: bringup.Options) -> None:
        """Start it; it ends with the stack.

        Raises:
            GraphError: It does not come up.
        """
        self.session = stack.enter_context(Session(bringup.describe(options), lambda node, line: None))
        wait_until_active(self.session, _ACTIVE_S)
        self._focus = stack.enter_context(closing(FocusClient(namespace=self.session.client.namespace)))
        self.actuators = stack.enter_context(closing(Actuators(self.session.client.node)))

    def until(self, condition: Callable[[], bool], trouble: str) -> None:
        """Wait for something.

        Raises:
            GraphError: It does not come; ``trouble`` says so.
        """
        if not self.session.client.until(condition, _ANSWER_S):
            raise GraphError(trouble)

    def play(self, goal: Goal, start: Start) -> End:
        """Play one goal from where it starts."""
        self.actuators.go_to(start.exposure_us, start.position, self.until)
        result = self._focus.focus(goal.label, timeout=_GOAL_S)
        return End(
            result.code,
            result.detection.label if result.detection else "",
            result.lens_position,
            result.exposure_us,
            result.exposure_steps + result.focus_steps,
        )
