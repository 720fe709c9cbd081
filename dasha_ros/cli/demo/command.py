"""``dasha demo``: one scene, two goals, and a comparison with an autofocus that knows no objects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dasha_ros.cli.terminal import options
from dasha_ros.cli.terminal.console import Exit, err, fail, interrupted, out
from dasha_ros.system.folders import user_folder

if TYPE_CHECKING:
    from rich.console import Console

    from dasha_ros.cli.demo.run import Demo

PICTURE = Path("~/.ros/dasha/demo.png")


def demo(
    *,
    namespace: options.Namespace = "/dasha",
    picture: Annotated[Path, typer.Option(help="File for the pictures before and after.")] = PICTURE,
    override: options.Override = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print the logs of all nodes.")] = False,
) -> None:
    """Focus on two objects at two distances in the digital twin, one after the other.

    The scene is a model motorcycle at 0.8 m in front of a street with people at 10 m. The first
    goal asks for the motorcycle, from a dark and defocused start; the second asks for a person,
    from an over-exposed and defocused start. Ordinary autofocus follows the contrast of the whole
    frame and chooses the same distance both times. Exit code 0 if both objects end within 2 px of
    blur radius (640 px width).
    """
    from dasha_ros.assets.catalogue import AssetMissing
    from dasha_ros.bringup import graph as bringup
    from dasha_ros.config import ConfigError

    try:
        from dasha_ros.bringup.lock import GraphRunsAlreadyError
        from dasha_ros.cli.demo.run import SCENE, run_demo
        from dasha_ros.cli.graph.ready import GraphError
    except ImportError as error:
        fail(f"{error}. `dasha demo` needs ROS 2 and the built interfaces: run ./scripts/setup")
    console = err()
    try:
        graph = bringup.describe(
            bringup.Options(namespace=namespace, scene=SCENE, overrides=tuple(override or ()))
        )
        result = run_demo(graph, console, verbose)
    except (ConfigError, GraphRunsAlreadyError) as error:
        fail(str(error), Exit.REFUSED)
    except (GraphError, AssetMissing) as error:
        fail(str(error))
    except KeyboardInterrupt as reason:
        console.print("interrupted; the graph was stopped")
        raise typer.Exit(interrupted(reason)) from None
    _conclude(result, user_folder(picture.parent) / picture.name, out())
    raise typer.Exit(Exit.OK if result.succeeded else Exit.FAILED)


def _conclude(result: Demo, picture: Path, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    from dasha_ros.cli.demo.run import TOLERANCE_PX

    table = Table(title="\nBlur radius at the end, in pixels of a 640-px-wide picture", title_justify="left")
    # Two lines each, so that 80 columns hold them whole.
    for heading in (
        "asked\nfor",
        "true\ndistance",
        "focus\nwent to",
        "blur",
        "contrast of\nthe frame",
        "blur\nthere",
    ):
        table.add_column(heading, justify="left" if heading.startswith("asked") else "right")
    for goal in result.goals:
        good = goal.succeeded
        table.add_row(
            goal.label,
            f"{goal.distance_m:.2f} m",
            _distance(goal.focus_dioptres),
            Text(f"{goal.blur_px:.2f} px {'✓' if good else '✗'}", "green" if good else "red"),
            _distance(result.contrast.dioptres),
            f"{goal.contrast_blur_px:.2f} px",
        )
    console.print(table)
    console.print(_moral(result))
    for goal in result.goals:
        console.print(f"report of {goal.label}: {goal.report or 'could not be written'}")
    _save(result, picture, console)
    verdict = "both objects" if result.succeeded else "not both objects"
    console.print(
        f"{verdict} within {TOLERANCE_PX:g} px; graph active after {result.up_s:.1f} s, "
        f"everything took {result.seconds:.1f} s"
    )


def _moral(result: Demo) -> str:
    """The result of the table in one sentence."""
    from dasha_ros.cli.demo.run import TOLERANCE_PX

    def named(sharp: bool) -> str:
        chosen = [g.label for g in result.goals if (g.contrast_blur_px <= TOLERANCE_PX) == sharp]
        return " and ".join(f"the {label}" for label in chosen)

    where = f"Whole-frame contrast goes to {_distance(result.contrast.dioptres)}, whatever is asked for: "
    if not named(False):
        return f"{where}this time {named(True)} are sharp there."
    if not named(True):
        return f"{where}neither {named(False).replace(' and ', ' nor ')} is sharp there."
    return f"{where}right for {named(True)}, wrong for {named(False)}."


def _distance(dioptres: float) -> str:
    return f"{1 / dioptres:.2f} m" if dioptres > 0.01 else "infinity"


def _save(result: Demo, picture: Path, console: Console) -> None:
    from dasha_ros.cli.demo.montage import Row, montage

    rows = [Row.of_report(goal.label, Path(goal.report)) for goal in result.goals if goal.report]
    rows.append(Row((("whole-frame contrast, whatever is asked for", result.contrast.picture),)))
    try:
        montage(rows, picture)
    except OSError as error:
        console.print(f"the pictures could not be combined: {error}")
    else:
        console.print(f"pictures before and after: {picture}")
