"""``dasha focus``: ask the running graph to focus on an object."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dasha_ros.agents.outcome import ErrorCode
from dasha_ros.cli.console import Exit, err, fail, interrupted, out, sigterm_like_ctrl_c
from dasha_ros.cli.options import Namespace

if TYPE_CHECKING:
    from rich.console import Console

    from dasha_ros.cli.goal import Ending


def focus(
    labels: Annotated[
        list[str] | None, typer.Argument(metavar="LABEL", help="What to look for; none: any object.")
    ] = None,
    *,
    min_score: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Least confidence; 0: the server's default.")
    ] = 0.0,
    max_brisque: Annotated[
        float,
        typer.Option(min=0.0, help="Worst BRISQUE to accept, lower is better; 0: the server's default."),
    ] = 0.0,
    max_steps: Annotated[
        int,
        typer.Option(min=0, max=2**32 - 1, help="Steps of both agents together; 0: the server's default."),
    ] = 0,
    keep_exposure: Annotated[
        bool, typer.Option("--keep-exposure", help="Leave the exposure alone and only focus.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=0.0, help="Seconds, then the goal is cancelled; 0: none.")
    ] = 0.0,
    namespace: Namespace = "/dasha",
) -> None:
    """Set exposure and focus until one of the LABELs is found and sharp.

    Exit codes: 0 found; 1 not found, everything is back where it was; 2 the goal was
    rejected; 3 no server, or it died; 130 cancelled with Ctrl-C; 143 with SIGTERM.
    """
    try:
        from dasha_ros.action import FocusOnObject
        from dasha_ros.cli.client import Client
        from dasha_ros.cli.goal import Abandoned, FocusClient, NoServerError, RejectedError
    except ImportError as error:
        fail(f"{error}. `dasha focus` needs ROS 2 and the built interfaces: run ./scripts/setup")
    from dasha_ros.config import ConfigError

    goal = FocusOnObject.Goal(
        labels=labels or [],
        min_score=min_score,
        max_brisque=max_brisque,
        max_steps=max_steps,
        keep_exposure=keep_exposure,
    )
    console = err()
    try:
        with sigterm_like_ctrl_c(), Client(namespace) as client:
            ending = FocusClient(client).run(
                goal,
                StepPrinter(console),
                lambda: console.print("cancelling; waiting until exposure and lens are back ..."),
                timeout,
            )
    except NoServerError as error:
        fail(str(error), Exit.UNREACHABLE)
    except (RejectedError, ConfigError) as error:
        fail(str(error), Exit.REFUSED)
    except Abandoned as error:
        fail(str(error), interrupted(error.reason))
    except KeyboardInterrupt as reason:
        raise typer.Exit(interrupted(reason)) from None
    raise typer.Exit(conclude(ending, out()))


_BEGINNINGS = {
    ErrorCode.EXPOSURE_NOT_REACHED: "no good exposure",
    ErrorCode.OBJECT_NOT_FOUND: "not found",
    ErrorCode.QUALITY_NOT_REACHED: "found, but not sharp enough",
    ErrorCode.STEPS_EXHAUSTED: "not finished",
    ErrorCode.CANCELED: "cancelled",
    ErrorCode.PREEMPTED: "replaced",
}
"""Any other reason broke the goal off."""


def beginning(code: int) -> str:
    """How a line about a goal that failed begins."""
    return _BEGINNINGS.get(ErrorCode(code), "broken off")


class StepPrinter:
    """Prints the feedback of every step as one line."""

    HEAD = f"{'agent':<6}{'step':>5}{'exposure':>14}{'lens':>10}{'score':>8}{'BRISQUE':>9}{'reward':>9}"

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = False

    def __call__(self, feedback: Any) -> None:
        """Print one step."""
        from dasha_ros.msg import FocusState

        if not self._begun:
            self._console.print(self.HEAD, style="dim")
            self._begun = True
        agents = {FocusState.EXPOSING: "A^H", FocusState.FOCUSING: "A^L", FocusState.RESTORING: "back"}
        self._console.print(
            f"{agents[feedback.phase]:<6}{feedback.step:>5}"
            f"{feedback.exposure_us:>11,.0f} µs{feedback.volts:>8.2f} V"
            f"{feedback.best_score:>8.2f}{feedback.brisque:>9.1f}{feedback.reward:>9.3f}"
        )


def conclude(ending: Ending, console: Console) -> Exit:
    """Print how a goal ended and return the exit code for it."""
    result = ending.result
    steps = f"{result.exposure_steps} + {result.focus_steps} steps, {result.seconds:.1f} s"
    if result.error_code == result.NONE:
        console.print(
            f"found {result.detection.label}, score {result.detection.score:.2f}, "
            f"BRISQUE {result.brisque:.1f}, at {result.exposure_us:,.0f} µs and {result.volts:.2f} V "
            f"({steps})",
            style="bold green",
        )
    else:
        why = "it took longer than --timeout allows; " if ending.timed_out else ""
        console.print(
            f"{beginning(result.error_code)} ({steps}): {why}{result.error_msg} [code {result.error_code}]",
            markup=False,
        )
    if result.report:
        console.print(f"report: {Path(result.report)}", markup=False)
    if ending.interrupted is not None:
        return interrupted(ending.interrupted)
    return Exit.OK if result.error_code == result.NONE else Exit.FAILED
