"""``dasha focus``: asks the running graph to focus on an object."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from dasha_ros.cli.terminal.console import Exit, err, fail, interrupted, out
from dasha_ros.cli.terminal.options import Namespace
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.system.text import is_text

if TYPE_CHECKING:
    from rich.console import Console

    from dasha_ros.client import FocusResult, FocusTask, Progress


def focus(
    labels: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="LABEL", help="What to look for, also as A,B; none: any object, or the --region itself."
        ),
    ] = None,
    *,
    any_object: Annotated[
        bool, typer.Option("--any", help="Any object counts; those of the LABELs come first.")
    ] = False,
    by_priority: Annotated[
        bool, typer.Option("--by-priority", help="Earlier LABELs come before later ones, whatever the score.")
    ] = False,
    region: Annotated[
        str,
        typer.Option(
            metavar="X,Y,X,Y",
            help="Part of the picture that counts: left, top, right, bottom, as fractions 0..1 of its size.",
        ),
    ] = "",
    distance: Annotated[
        str,
        typer.Option(
            metavar="NEAR,FAR",
            help="Focus distances to search [m]; an end may be left out: `,2` means up to 2 m, "
            "and `0.5,` from 0.5 m on.",
        ),
    ] = "",
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
    max_seconds: Annotated[
        float, typer.Option(min=0.0, help="The server ends the goal after so long [s]; 0: its own limit.")
    ] = 0.0,
    keep_exposure: Annotated[
        bool, typer.Option("--keep-exposure", help="Only focus; keep the exposure as it is.")
    ] = False,
    hold: Annotated[
        bool, typer.Option("--hold", help="Once it is sharp, keep it so until Ctrl-C or --max-seconds.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=0.0, help="Cancel the goal after this many seconds; 0: never.")
    ] = 0.0,
    namespace: Namespace = "/dasha",
) -> None:
    """Set exposure and focus until one of the LABELs is found and sharp.

    Exit codes: 0 found; 1 not found, lens and exposure are restored; 2 the goal was rejected;
    3 there is no server, or it died; 130 cancelled with Ctrl-C; 143 with SIGTERM;
    129 its terminal was closed.
    """
    from dasha_ros.bringup.environment import environment
    from dasha_ros.client import FocusClient, FocusError, GoalRejectedError
    from dasha_ros.config import ConfigError
    from dasha_ros.perception.labels import one_by_one

    wanted = one_by_one(labels or [])
    for label in wanted:
        if not is_text(label):
            fail(f"{label!r} holds bytes that are no text: write labels in UTF-8", Exit.REFUSED)
    if labels and not wanted:
        fail("there are only commas and blanks: name what to look for", Exit.REFUSED)
    edges = _numbers("--region", region, 4, "left, top, right and bottom, as in 0.4,0.3,0.6,0.7")
    near, far = _numbers("--distance", distance, 2, "the nearest and the farthest in m, as in 0.5,2 or ,2")
    console = err()
    printer = StepPrinter(console)
    os.environ.update(environment())
    try:
        with FocusClient(namespace=namespace) as client:
            try:
                task = client.start(
                    wanted,
                    any_object=any_object,
                    by_priority=by_priority,
                    region=edges,
                    min_distance_m=near,
                    max_distance_m=far,
                    min_score=min_score,
                    max_brisque=max_brisque,
                    max_steps=max_steps,
                    max_seconds=max_seconds,
                    keep_exposure=keep_exposure,
                    hold=hold,
                    timeout=timeout or None,
                    on_feedback=printer,
                    on_cancel=lambda: console.print(printer.at_cancel),
                )
            except ValueError as error:
                fail(f"the goal was not sent: {error}", Exit.REFUSED)
            code = conclude(_wait(task), out())
    except ImportError as error:
        fail(str(error))
    except (GoalRejectedError, ConfigError) as error:
        fail(str(error), Exit.REFUSED)
    except FocusError as error:
        fail(str(error), Exit.UNREACHABLE)
    except KeyboardInterrupt as reason:
        raise typer.Exit(interrupted(reason)) from None
    raise typer.Exit(code)


def _numbers(option: str, text: str, count: int, meant: str) -> tuple[float, ...]:
    """Numbers separated by commas; a missing one, or all of an empty text, is 0. The server judges them."""
    if not text:
        return (0.0,) * count
    parts = text.split(",")
    try:
        numbers = tuple(float(part) if part.strip() else 0.0 for part in parts)
    except ValueError:
        numbers = ()
    if len(numbers) != count:
        fail(
            f"{option} {text!r} is not {count} numbers without units, separated by commas: {meant}",
            Exit.REFUSED,
        )
    return numbers


@dataclass(frozen=True)
class Ending:
    """How a goal ended, and why if it ended early."""

    result: FocusResult
    interrupted: KeyboardInterrupt | None = None
    """Ctrl-C, SIGTERM or SIGHUP, if this command cancelled the goal."""
    timed_out: bool = False
    """Whether the goal was cancelled because it took too long."""


def _wait(task: FocusTask) -> Ending:
    """Wait for a goal's end; the first Ctrl-C, SIGTERM or SIGHUP cancels it, the second ends the wait."""
    from dasha_ros.client import DeadlineError, FocusError

    reason: KeyboardInterrupt | None = None
    while True:
        try:
            return Ending(task.wait(), reason)
        except DeadlineError as error:
            if error.result is None:
                raise
            return Ending(error.result, reason, timed_out=True)
        except FocusError as error:
            if reason is None:
                raise
            # Cancelled before a server accepted it, or the server died meanwhile: still the user's own end.
            fail(str(error), interrupted(reason))
        except KeyboardInterrupt as again:
            if reason is None:
                reason = again
                task.cancel()
                continue
            task.abandon()
            fail(
                "the goal goes on unwatched, so whether lens and exposure are restored is unknown; "
                "`dasha echo focus/state --once` says how it ended",
                interrupted(reason),
            )


_BEGINNINGS = {
    ErrorCode.EXPOSURE_NOT_REACHED: "no good exposure",
    ErrorCode.OBJECT_NOT_FOUND: "not found",
    ErrorCode.QUALITY_NOT_REACHED: "found, but not sharp enough",
    ErrorCode.STEPS_EXHAUSTED: "not finished",
    ErrorCode.TIME_EXHAUSTED: "not finished in time",
    ErrorCode.CANCELED: "cancelled",
    ErrorCode.PREEMPTED: "replaced",
}
"""First words about a failed goal; "broken off" for all other reasons."""


def beginning(code: ErrorCode) -> str:
    """The first words about a failed goal."""
    return _BEGINNINGS.get(code, "broken off")


_AGENTS = {"EXPOSING": "A^H", "FOCUSING": "A^L", "HOLDING": "hold", "RESTORING": "back"}
"""Who works in each phase of a goal."""


class StepPrinter:
    """Prints one line for each step."""

    HEAD = f"{'agent':<6}{'step':>5}{'exposure':>14}{'lens':>10}{'score':>8}{'BRISQUE':>9}{'reward':>9}"

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = False
        self._held: tuple[int, str] | None = None

    @property
    def at_cancel(self) -> str:
        """What to say when the goal is cancelled."""
        if self._held is not None:
            return "ending the hold; exposure and lens stay as they are ..."
        return "cancelling; waiting until exposure and lens are restored ..."

    def __call__(self, feedback: Progress) -> None:
        """Print one step."""
        is_held = feedback.phase.name == "HOLDING"
        if is_held:
            # A hold tells of itself several times a second.
            news = feedback.step, f"{feedback.sharpness:.1f}"
            if news == self._held:
                return
            self._held = news
        else:
            self._held = None
        if not self._begun:
            self._console.print(self.HEAD, style="dim")
            self._begun = True
        sharp = "-" if math.isnan(feedback.sharpness) else f"{feedback.sharpness:.2f}"
        last = f"  sharp {sharp}" if is_held else f"{feedback.reward:>9.3f}"
        seen = f"{feedback.best_score:>8.2f}{feedback.brisque:>9.1f}{last}"
        if feedback.phase.name == "RESTORING":
            seen = f"{'-':>8}{'-':>9}{'-':>9}"  # No picture was judged.
        self._console.print(
            f"{_AGENTS[feedback.phase.name]:<6}{feedback.step:>5}"
            f"{feedback.exposure_us:>11,.0f} µs{feedback.lens_position:>8.2f} {feedback.lens_unit}{seen}"
        )


def conclude(ending: Ending, console: Console) -> Exit:
    """Print how a goal ended and return the exit code for it."""
    result = ending.result
    steps = f"{result.exposure_steps} + {result.focus_steps} steps, {result.seconds:.1f} s"
    if result.detection is not None and result.found:
        console.print(
            f"found {result.detection.label}, score {result.detection.score:.2f}, "
            f"BRISQUE {result.brisque:.1f}, at {result.exposure_us:,.0f} µs and {result.lens} "
            f"({steps})",
            style="bold green",
        )
    else:
        why = "it took longer than --timeout allows; " if ending.timed_out else ""
        console.print(
            f"{beginning(result.code)} ({steps}): {why}{result.message} [code {int(result.code)}]",
        )
    if result.report is not None:
        console.print(f"report: {result.report}")
    if ending.interrupted is not None:
        return interrupted(ending.interrupted)
    return Exit.OK if result.found else Exit.FAILED
