"""``dasha watch``: a page in the browser that shows a running graph."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dasha_ros.cli.terminal.console import Exit, err, fail, interrupted, out
from dasha_ros.cli.terminal.options import Namespace

if TYPE_CHECKING:
    from dasha_ros.watch.access import Access

_NICE = 5
"""The page's process yields to the graph's."""


def watch(
    *,
    host: Annotated[
        str, typer.Option(help="Address to bind to; 0.0.0.0 opens the page to others, who need its token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free port.")] = 8899,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="Another name by which browsers may call this machine; repeatable."),
    ] = None,
    reports: Annotated[
        Path | None, typer.Option(help="Folder of the focus server's reports, if it is not the default.")
    ] = None,
    namespace: Namespace = "/dasha",
) -> None:
    """Serve a page that shows a running graph and sends it goals, until Ctrl-C."""
    from dasha_ros.config import ConfigError, FocusServerConfig
    from dasha_ros.system.folders import user_folder

    try:
        from dasha_ros.watch.access import Access, is_host
        from dasha_ros.watch.serving import serve
    except ImportError as error:
        fail(f"{error}. `dasha watch` needs ROS 2, the built interfaces and aiohttp: run ./scripts/setup")
    for option, name in (("--host", host), *(("--allow-host", name) for name in allow_host or ())):
        if not is_host(name):
            fail(
                f"{option} {name!r} is no name of a machine: write it without http:// and port, in ASCII, "
                "as in robot.example",
                Exit.REFUSED,
            )
    os.nice(_NICE)
    folder = reports or user_folder(FocusServerConfig().report_dir)
    if reports is not None and not reports.is_dir():
        err().print(f"no reports to show yet: there is no folder {reports}", style="yellow")
    access = Access.of(host, tuple(allow_host or ()))
    try:
        serve(namespace, access, port, folder, lambda bound: _print(access, bound))
    except ConfigError as error:
        fail(str(error), Exit.REFUSED)
    except OSError as error:
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            fail(
                f"can't listen on {host}: this machine has no such address. Give --host 0.0.0.0 for all of "
                "its addresses, or leave it out for this machine alone",
                Exit.REFUSED,
            )
        reason = os.strerror(error.errno) if error.errno else str(error)
        fail(f"can't listen on {host}, port {port}: {reason}. Choose another one with --port", Exit.REFUSED)
    except KeyboardInterrupt as reason:
        raise typer.Exit(interrupted(reason)) from None


def _print(access: Access, port: int) -> None:
    """Print the addresses of the page."""
    from dasha_ros.watch.access import LOOPBACK_NAMES

    names = ["127.0.0.1"] if access.host in {*LOOPBACK_NAMES, "0.0.0.0", "::"} else [access.host]
    if access.token and access.host in {"0.0.0.0", "::"}:
        names += sorted(access.names - LOOPBACK_NAMES - {access.host})
    query = f"?token={access.token}" if access.token else ""
    for name in names:
        shown = f"[{name}]" if ":" in name else name
        out().print(f"open http://{shown}:{port}/{query}")
