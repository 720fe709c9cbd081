"""``dasha benchmark focus --over-ros``: the benchmark's episodes as goals of the real graph."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

from dasha_ros.benchmark.episodes import Episode, Goal, draw_start
from dasha_ros.bringup import graph as bringup
from dasha_ros.bringup.session import Session
from dasha_ros.cli.demo.true_lens import TrueLens
from dasha_ros.cli.graph.ready import GraphError, wait_until_active
from dasha_ros.client import FocusClient, Phase
from dasha_ros.config import LowLevelAgentConfig
from dasha_ros.learning.evaluation.settings import FOCUSED_PX
from dasha_ros.optics.exposure_table import T_MIN_US, ExposureTable, exposure_table
from dasha_ros.optics.profiles import lens_model
from dasha_ros.perception.labels import canonical
from dasha_ros.policies.moves import reversals
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.ros.actuation.actuators import Actuators
from dasha_ros.ros.actuation.episode_reset import EpisodeReset, WorldRefused
from dasha_ros.twin.scene import load_scene

_ANSWER_S = 10.0
_GOAL_S = 600.0
"""Longest goal [s]: a graph that never ends a goal must not stop the benchmark."""
EMULATED_MIN_US = 100.0
"""Shortest exposure of pylon's emulated camera [us]; the one that the twin plays has 24."""


def episodes_over_ros(
    goals: Sequence[Goal],
    seeds: Sequence[int],
    *,
    rig: str = "twin",
    exposure_policy: str | None = None,
    focus_policy: str | None = None,
    table: ExposureTable | None = None,
    active_s: float = 60.0,
) -> Iterator[Episode]:
    """Play goals through ``focus_on_object``, each from a start drawn by its seed.

    Seconds are wall-clock time of the whole goal: exposure, settling, rendering, transport and
    inference. The blur at the end is the true one, hysteresis included; that of the moves before
    it follows from the commanded positions.

    Args:
        goals: What to look for.
        seeds: Each goal is played once per seed.
        rig: A device set of `bringup.rigs.RIGS` with a twin behind it.
        exposure_policy: Policy of A^H; ``None``: the graph's default.
        focus_policy: Policy of A^L; ``None``: the graph's default.
        table: Start exposures are drawn from it; ``None``: the usual ones that the camera has.
        active_s: How long the graph may take to come up [s].

    Raises:
        GraphError: The graph does not come up, does not answer, or has no such world.
    """
    graph = bringup.describe(
        bringup.Options(rig=rig, exposure_policy=exposure_policy, focus_policy=focus_policy)
    )
    with Session(graph, lambda node, line: None) as session:
        wait_until_active(session, active_s)
        player = _Player(
            session,
            focus_policy or LowLevelAgentConfig().policy,
            table or exposure_table(EMULATED_MIN_US if rig == "emulated" else T_MIN_US),
        )
        with closing(player):
            for goal in goals:
                for seed in seeds:
                    yield player.play(goal, seed)


class _Player:
    """Plays one episode after another."""

    def __init__(self, session: Session, policy: str, table: ExposureTable) -> None:
        self._session, self._client, self._policy = session, session.client, policy
        self._lens, self._table = lens_model(), table
        node = self._client.node
        self._focus = FocusClient(namespace=self._client.namespace)
        self._actuators = Actuators(node)
        self._reset = EpisodeReset(node, self._actuators, self._until)
        self._true_lens = TrueLens(self._client)

    def close(self) -> None:
        """Close clients and topics."""
        self._focus.close()
        self._reset.close()
        self._actuators.close()

    def play(self, goal: Goal, seed: int) -> Episode:
        """Play one goal from the start that its seed draws."""
        start = draw_start(goal, seed, self._lens, self._table)
        targets = [
            1.0 / m for m in load_scene(goal.scene).object_distances(goal.label, start.world.distances_m)
        ]

        def blur_px(dioptres: float) -> float:
            return min(abs(self._lens.blur_px(dioptres, target)) for target in targets)

        try:
            self._reset.set_world(start.world)
        except WorldRefused as error:
            raise GraphError(str(error)) from error
        self._reset.set_start(start.exposure_us, start.position)
        steps: list[tuple[Phase, float]] = []
        began = time.monotonic()
        result = self._focus.focus(
            goal.label, timeout=_GOAL_S, on_feedback=lambda f: steps.append((f.phase, f.lens_position))
        )
        seconds = time.monotonic() - began
        self._session.poll()
        commanded = [start.position, *[v for phase, v in steps if phase is Phase.FOCUSING][1:]]
        blurs = [blur_px(self._lens.dioptres(position)) for position in commanded]
        focus = self._true_lens.focus_at(result.lens_position, _ANSWER_S)
        if focus is None:
            raise GraphError("the twin's lens does not report its focus")
        blurs[-1] = blur_px(focus)
        return Episode(
            policy=self._policy,
            goal=goal,
            seed=seed,
            code=result.code,
            detected=canonical(result.detection.label if result.detection else "") == canonical(goal.label),
            blur_px=blurs[-1],
            moves_first=next((i for i, blur in enumerate(blurs) if blur <= FOCUSED_PX), None),
            moves_settled=result.focus_steps,
            # A^H takes one picture before its first step, and A^L starts from A^H's last picture.
            frames=1 + result.exposure_steps + result.focus_steps,
            reversals=reversals(self._lens, commanded),
            seconds=seconds,
            fault=result.message if result.code is ErrorCode.INTERNAL else "",
        )

    def _until(self, condition: Callable[[], bool], trouble: str) -> None:
        if not self._client.until(condition, _ANSWER_S):
            raise GraphError(trouble)
