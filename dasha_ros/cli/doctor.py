"""``dasha doctor``: what is installed, what is missing, and which nodes answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dasha_ros.cli.terminal.console import Exit, fail, out
from dasha_ros.cli.terminal.options import Namespace

if TYPE_CHECKING:
    from rich.console import Console

    from dasha_ros.doctor.finding import Finding


def doctor(
    ctx: typer.Context,
    namespace: Namespace = "/dasha",
    wait: Annotated[float, typer.Option(min=0.0, help="Seconds to look for nodes.")] = 3.0,
) -> None:
    """Report what is installed, what is missing and what to do about it, and which nodes answer.

    Exit code 1 if something that the graph needs is missing, if a node does not answer, if another node
    publishes in the name of one, if a topic does not reach a node that listens to it, or if there is no
    graph in a namespace that you name.
    """
    from dasha_ros.doctor.examination import examine
    from dasha_ros.doctor.finding import Verdict

    console = out()
    findings = examine()
    _print_findings(console, findings)
    try:
        from dasha_ros.cli.graph.reachable import look
    except ImportError as error:
        console.print("\ngraph", style="bold")
        console.print(f"  not looked for: {error}")
        raise typer.Exit(Exit.FAILED) from None
    from dasha_ros.config import ConfigError

    try:
        reached = look(namespace, wait)
    except ConfigError as error:
        fail(str(error), Exit.REFUSED)
    console.print("\ngraph", style="bold")
    source = ctx.get_parameter_source("namespace")
    is_named = source is not None and source.name == "COMMANDLINE"
    for line in reached.lines(is_named):
        console.print("  " + line)
    problems = (
        sum(f.verdict is Verdict.PROBLEM for f in findings)
        + len(reached.silent)
        + len(reached.strangers)
        + len(reached.unheard)
        + (is_named and not reached.states)
    )
    if problems:
        console.print(f"\n{problems} problem{'s' if problems > 1 else ''}: see ✗ above", style="bold red")
    raise typer.Exit(Exit.FAILED if problems else Exit.OK)


def _print_findings(console: Console, findings: list[Finding]) -> None:
    from rich.text import Text

    from dasha_ros.doctor.finding import Verdict

    marks = {
        Verdict.OK: ("✓", "green"),
        Verdict.OPTIONAL: ("·", "yellow"),
        Verdict.PROBLEM: ("✗", "bold red"),
    }
    topic = ""
    for finding in findings:
        if finding.topic != topic:
            topic = finding.topic
            console.print(Text(topic, "bold"))
        mark, style = marks[finding.verdict]
        console.print(Text.assemble("  ", (mark, style), f" {finding.name}: {finding.detail}"))
        if finding.advice:
            console.print(Text(f"      {finding.advice}", "dim"))
