"""Runs the page's server until it is interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from aiohttp import web

from dasha_ros.watch.access import Access
from dasha_ros.watch.feed import Feed
from dasha_ros.watch.link import GraphLink
from dasha_ros.watch.reports import ReportFolder
from dasha_ros.watch.server import PageServer


def serve(namespace: str, access: Access, port: int, reports: Path, on_ready: Callable[[int], None]) -> None:
    """Serve the page of a graph until an exception, such as ``KeyboardInterrupt``.

    Args:
        namespace: Namespace of the graph.
        access: What to bind to, and who may see the page.
        port: 0 for any free one.
        reports: Folder of the reports that the page lists.
        on_ready: Called with the port when browsers can connect.

    Raises:
        ConfigError: The namespace or ``ROS_DOMAIN_ID`` is invalid.
        OSError: The address or the port can't be used.
    """
    feed = Feed()
    with closing(GraphLink(namespace, feed)) as link:
        asyncio.run(_serve(PageServer(feed, link, access, ReportFolder(reports)), access, port, on_ready))


async def _serve(server: PageServer, access: Access, port: int, on_ready: Callable[[int], None]) -> None:
    runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, access.host, port)
        await site.start()
        on_ready(int(runner.addresses[0][1]))
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
