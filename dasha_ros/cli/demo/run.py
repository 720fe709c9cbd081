"""Runs the demo as a client of the graph: two goals from bad starts, and the true blur after each."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

from rich.console import Console
from rich.text import Text

from dasha_ros.bringup.graph import Graph
from dasha_ros.bringup.graph_client import GraphClient
from dasha_ros.bringup.session import LogPrinter, Session
from dasha_ros.cli.demo.contrast import Contrast, contrast_focus
from dasha_ros.cli.demo.true_lens import TrueLens
from dasha_ros.cli.focus import StepPrinter, beginning
from dasha_ros.cli.graph.ready import GraphError, wait_until_active
from dasha_ros.client import FocusClient, FocusError
from dasha_ros.optics.lens_info import position_text
from dasha_ros.optics.profiles import lens_model
from dasha_ros.perception.labels import canonical
from dasha_ros.ros.actuation.actuators import Actuators
from dasha_ros.twin.scene import Scene, load_scene

SCENE = "motorcycle_street"
TOLERANCE_PX = 2.0
"""Blur radius in a 640-px-wide picture that counts as focused."""
ACTIVE_S = 60.0
ANSWER_S = 10.0
"""How long to wait for an answer [s]: more than discovery and a repeated command take."""


@dataclass(frozen=True)
class Start:
    """The start of a goal."""

    label: str
    what: str
    exposure_us: float
    position: float


STARTS = (
    Start("motorcycle", "dark and focused beyond infinity", exposure_us=400.0, position=30.0),
    Start("person", "over-exposed and focused far too near", exposure_us=400_000.0, position=55.0),
)
"""At 100 lx and f/2 the right exposure is about 25 ms; the people are at 40.3 V, the motorcycle at 44 V."""


@dataclass(frozen=True)
class GoalRecord:
    """How one goal of the demo ended."""

    label: str
    found: bool
    distance_m: float
    """True distance of the object [m]."""
    focus_dioptres: float
    """True focus of the lens at the end [1/m]."""
    blur_px: float
    """True blur radius of the object at 640 px width."""
    exposure_us: float
    report: str
    """Folder of the report; empty: it could not be written."""
    contrast_blur_px: float = 0.0
    """Blur radius of the object where whole-frame contrast focuses."""

    @property
    def succeeded(self) -> bool:
        """Whether the object was found and is truly sharp."""
        return self.found and self.blur_px <= TOLERANCE_PX


@dataclass(frozen=True)
class Demo:
    """The demo's results."""

    goals: tuple[GoalRecord, ...]
    contrast: Contrast
    """Where the contrast of the whole frame focuses."""
    up_s: float
    """Time until all nodes were active [s]."""
    seconds: float
    """Time of the whole demo [s]."""

    @property
    def succeeded(self) -> bool:
        """Whether both goals succeeded."""
        return all(goal.succeeded for goal in self.goals)


def run_demo(graph: Graph, console: Console, verbose: bool = False) -> Demo:
    """Start the graph, run both goals, stop the graph, run the rival.

    Args:
        graph: A graph with the twin and the scene `SCENE`.
        console: Prints the progress.
        verbose: Print the logs of all nodes, not only warnings.

    Raises:
        GraphError: The graph does not come up, or a goal is not accepted.
        AssetMissing: A photograph or a model is not on this machine.
    """
    began = time.monotonic()
    scene = load_scene(SCENE)
    names = tuple(p.name for p in graph.processes)
    console.print(f"starting {len(names)} nodes, each a process of its own ...", style="bold")
    with Session(graph, LogPrinter(console, names, quiet=not verbose)) as session:
        wait_until_active(session, ACTIVE_S)
        up_s = session.seconds
        megabytes = sum(m.pss for m in session.memory().values()) / 1e6
        console.print(f"all nodes are active after {up_s:.1f} s, {megabytes:.0f} MB in all")
        with closing(_Player(session.client, scene, console)) as player:
            goals = [player.play(start) for start in STARTS]
    console.print("\nwhere does the contrast of the whole frame focus?", style="bold")
    contrast = contrast_focus(SCENE, goals[-1].exposure_us, STARTS[0].position)
    goals = [replace(g, contrast_blur_px=_blur_px(contrast.dioptres, g.distance_m)) for g in goals]
    return Demo(tuple(goals), contrast, up_s, time.monotonic() - began)


def _blur_px(focus_dioptres: float, distance_m: float) -> float:
    return abs(lens_model("physical").blur_px(focus_dioptres, 1.0 / distance_m))


class _Player:
    """Plays one goal after another."""

    def __init__(self, client: GraphClient, scene: Scene, console: Console) -> None:
        self._client = client
        self._scene = scene
        self._console = console
        self._actuators = Actuators(client.node)
        self._focus = FocusClient(namespace=client.namespace)
        self._true_lens = TrueLens(client)

    def close(self) -> None:
        """Close clients and topics."""
        self._focus.close()
        self._actuators.close()

    def play(self, start: Start) -> GoalRecord:
        """Set the start, run the goal, and compare its end with the truth."""
        place = position_text(start.position, self._unit())
        self._console.print(
            Text.assemble(
                ("\n" + start.label, "bold"),
                f", from a bad start: {start.what} ({start.exposure_us:,.0f} µs, {place})",
            )
        )
        self._actuators.go_to(start.exposure_us, start.position, self._until)
        try:
            result = self._focus.focus(start.label, on_feedback=StepPrinter(self._console))
        except FocusError as error:
            raise GraphError(str(error)) from error
        if result.found:
            assert result.detection is not None
            self._console.print(
                f"found in {result.seconds:.1f} s, score {result.detection.score:.2f}", style="green"
            )
        else:
            self._console.print(f"{beginning(result.code)}: {result.message}", style="red")
        focus = self._true_focus(result.lens_position)
        distance_m = min(
            self._scene.object_distances(canonical(start.label)), key=lambda d: _blur_px(focus, d)
        )
        return GoalRecord(
            label=start.label,
            found=result.found,
            distance_m=distance_m,
            focus_dioptres=focus,
            blur_px=_blur_px(focus, distance_m),
            exposure_us=result.exposure_us,
            report=str(result.report or ""),
        )

    def _unit(self) -> str:
        self._until(lambda: self._actuators.lens_info is not None, "lens_driver has not published lens/info")
        assert self._actuators.lens_info is not None
        return self._actuators.lens_info.unit

    def _until(self, condition: Callable[[], bool], trouble: str) -> None:
        if not self._client.until(condition, ANSWER_S):
            raise GraphError(trouble)

    def _true_focus(self, position: float) -> float:
        focus = self._true_lens.focus_at(position, ANSWER_S)
        if focus is None:
            raise GraphError("the twin's lens does not report its focus")
        return focus
