"""``dasha up``: runs the whole graph as supervised processes, for machines without ``ros2 launch``."""

from __future__ import annotations

import math
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from dasha_ros.cli.terminal import options
from dasha_ros.cli.terminal.console import Exit, err, fail
from dasha_ros.system.signals import signals_collected

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from dasha_ros.bringup.session import LogPrinter, Session
    from dasha_ros.bringup.supervisor import Ended

WORD_S = 30.0
"""How long the announcement waits for the diagnostics of active nodes, and for drivers that open their device
[s]; diagnostics come every second."""
DRIVERS = "camera_driver", "lens_driver"
KILLED = -signal.SIGKILL, -signal.SIGQUIT
"""Exit codes of programs that ignored every other signal."""


def up(
    *,
    namespace: options.Namespace = "/dasha",
    rig: options.Rig = "",
    params_file: options.ParamsFile = None,
    override: options.Override = None,
    scene: options.Scene = None,
    speed: options.Speed = None,
    encoder: options.Encoder = None,
    detector: options.Detector = None,
    exposure_policy: options.ExposurePolicy = None,
    focus_policy: options.FocusPolicy = None,
    learn: options.Learn = False,
    log_level: options.LogLevel = "info",
    log_dir: options.LogDir = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only warnings and errors.")] = False,
    timeout: Annotated[
        float, typer.Option(min=0.0, help="Name the nodes that are not active after this many seconds.")
    ] = 60.0,
) -> None:
    """Start the graph and keep it running until Ctrl-C."""
    from dasha_ros.bringup import graph as bringup
    from dasha_ros.config import ConfigError

    try:
        graph = bringup.describe(
            bringup.Options(
                namespace=namespace,
                rig=rig,
                params_file=str(params_file) if params_file else None,
                scene=scene,
                speed=speed,
                encoder=encoder,
                detector=detector,
                exposure_policy=exposure_policy,
                focus_policy=focus_policy,
                learn=learn,
                log_level=log_level,
                overrides=tuple(override or ()),
            )
        )
    except ConfigError as error:
        fail(str(error), Exit.REFUSED)
    try:
        from dasha_ros.bringup.lock import GraphRunsAlreadyError
        from dasha_ros.bringup.session import LogPrinter, Session
    except ImportError as error:
        fail(f"{error}. `dasha up` needs ROS 2 and the built interfaces: run ./scripts/setup")
    console = err()
    for sentence in graph.warnings:
        console.print(f"warning: {sentence}", style="yellow")
    printer = LogPrinter(console, tuple(p.name for p in graph.processes), quiet)
    try:
        session = Session(graph, printer, log_dir)
    except OSError as error:
        fail(f"the log folder {log_dir} can't be made: {error.strerror}", Exit.REFUSED)
    try:
        raise typer.Exit(_run(session, printer, console, timeout))
    except (GraphRunsAlreadyError, ConfigError) as error:
        fail(str(error), Exit.REFUSED)
    except OSError as error:
        fail(f"the graph can't be started: {error}")


def _run(session: Session, printer: LogPrinter, console: Console, timeout_s: float) -> Exit:
    with signals_collected() as stop:
        return _watch(session, printer, console, timeout_s, stop)


def _watch(
    session: Session, printer: LogPrinter, console: Console, timeout_s: float, stop: list[int]
) -> Exit:
    """Run the graph until ``stop`` holds a signal or a node is lost."""
    from rich.live import Live

    from dasha_ros.bringup.environment import shared_memory_needed
    from dasha_ros.system.shared_memory import shortage

    session.tell_waiting = lambda names: console.print(
        f"waiting for {', '.join(names)} to end; Ctrl-C kills the rest at once"
    )
    announced, warned, lost, broken = False, False, None, list[str]()
    active_since_s = math.inf
    live = Live(console=console, refresh_per_second=2, transient=True, redirect_stderr=False)
    short = shortage(shared_memory_needed(len(session.graph.processes)))
    with session:
        if short:
            console.print(f"warning: {short}", style="yellow")
        if console.is_terminal:
            live.start()
        try:
            while not (stop or lost or broken):
                active, ended = session.poll()
                broken = session.broken()
                lost = _report(console, ended)
                for name in session.returned():
                    console.print(f"{name} is active again", style="green")
                active_since_s = min(active_since_s, session.seconds) if active else math.inf
                if active and not announced and _is_known(session, active_since_s):
                    announced = True
                    _announce(session, console)
                if not (announced or warned) and session.seconds > timeout_s:
                    warned = True
                    _name_the_missing(session, console)
                if live.is_started:
                    live.update(_table(session))
        finally:
            live.stop()
            # If Python is interrupted during its imports, it prints a traceback that helps nobody.
            printer.muted = not announced
        if broken:
            names = " and ".join(broken)
            console.print(f"{names} could not start; the lines above say why", style="bold red")
        console.print("stopping ...")
    ending = _end(session, console, lost)
    return Exit.FAILED if broken else ending


def _report(console: Console, ended: list[Ended]) -> Ended | None:
    for event in ended:
        console.print(f"{event}", style="red")
    return next((e for e in ended if e.restart_in_s is None), None)


def _is_known(session: Session, active_since_s: float) -> bool:
    """Whether every active node has told its state, and every driver if it has a device; or it is late."""
    from dasha_ros.ros.driver_nodes.device_worker import DEVICE, OPENING

    if session.seconds - active_since_s > WORD_S:
        return True
    told = session.diagnostics()
    drivers = [{pair.key: pair.value for pair in told[name].values} for name in DRIVERS if name in told]
    all_told = len(told) == len(session.graph.processes)
    return all_told and all(driver.get(DEVICE, OPENING) != OPENING for driver in drivers)


def _announce(session: Session, console: Console) -> None:
    from diagnostic_msgs.msg import DiagnosticStatus

    graph, total = session.graph, sum(m.pss for m in session.memory().values())
    up = f"all {len(graph.processes)} nodes are active after {session.seconds:.1f} s, {total / 1e6:.0f} MB"
    faulty = [n for n, status in session.diagnostics().items() if status.level == DiagnosticStatus.ERROR]
    if faulty:
        names = " and ".join(faulty)
        said = f"{up}, but goals fail until what {names} said above is mended; Ctrl-C stops"
        console.print(said, style="bold yellow")
        return
    goal = f"dasha focus LABEL{'' if graph.namespace == '/dasha' else ' -n ' + graph.namespace}"
    console.print(f"{up}; try `{goal}`; Ctrl-C stops", style="bold green")


def _name_the_missing(session: Session, console: Console) -> None:
    missing = ", ".join(f"{n} is {s}" for n, s in session.node_states().items() if s != "active")
    console.print(
        f"after {session.seconds:.0f} s not all nodes are active: {missing}. Their lines above say why",
        style="bold yellow",
    )


def _end(session: Session, console: Console, lost: Ended | None) -> Exit:
    from dasha_ros.config import ConfigError

    if lost is not None and lost.is_final:
        said = [line.removeprefix(ConfigError.WORDS) for line in lost.last_lines]
        fail(f"{lost.name}: {said[-1] if said else lost}", Exit.REFUSED)
    if lost is not None:
        console.print(
            f"{lost.name} ended again and again; its last lines were:\n" + "\n".join(lost.last_lines[-5:]),
            style="bold red",
        )
        return Exit.FAILED
    codes = session.exit_codes
    if not session.was_active:
        # If Python is interrupted during its imports, any exit code is fine: nothing was open yet.
        codes = {name: code for name, code in codes.items() if code in KILLED}
    if unclean := {name: code for name, code in codes.items() if code != 0}:
        console.print(f"stopped, but not all cleanly: exit codes {unclean}", style="yellow")
        return Exit.FAILED
    console.print("stopped cleanly")
    return Exit.OK


def _table(session: Session) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table("node", "state", "pid", "memory", "restarts", box=None, header_style="dim")
    pids, memory = session.pids(), session.memory()
    for name, state in session.node_states().items():
        used = memory.get(name)
        table.add_row(
            name,
            Text(state, "green" if state == "active" else "yellow"),
            str(pids.get(name, "")),
            f"{used.pss / 1e6:.0f} MB" if used else "",
            str(session.restarts.get(name, "") or ""),
        )
    return table
