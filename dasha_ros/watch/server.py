"""The web server of the page."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from importlib.resources import files
from typing import Protocol

from aiohttp import WSCloseCode, WSMsgType, web

from dasha_ros.watch.access import Access
from dasha_ros.watch.feed import Feed
from dasha_ros.watch.orders import MOST_BYTES, GoalOrder, OrderError, parse_order
from dasha_ros.watch.reports import ReportFolder

MOST_PAGES = 40
"""Pages that may be open at once."""
_PACE_S = 0.1
"""Least time between two updates of a page [s]: more than ten a second nobody can read."""
_CHECK_S = 1.0
"""How often the graph and the reports are looked up while a page is open [s]."""
_ALIVE_S = 15.0
"""A page that does not answer for this long is closed [s]; it connects again by itself."""

_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_PAGE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_REPORT_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""Reports hold names that people chose, so nothing in them may run."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Link(Protocol):
    """The page's connection to the graph; see `link.GraphLink`."""

    def look(self, wanted: bool) -> None:
        """Start or stop listening. Does nothing if that is so already."""
        ...

    def check(self) -> None:
        """Put into the feed whether there is a graph."""
        ...

    def send(self, order: GoalOrder) -> None:
        """Send a goal."""
        ...

    def cancel(self) -> None:
        """End the running goal."""
        ...


def page_files() -> dict[str, tuple[bytes, str]]:
    """The files of the page with their types, by name: read once, so no path of a request is ever used."""
    folder = files("dasha_ros.watch") / "web"
    found = {}
    for file in folder.iterdir():
        kind = _TYPES.get(f".{file.name.rpartition('.')[2]}")
        if kind is not None:
            found[file.name] = file.read_bytes(), kind
    return found


def _protect(headers: MutableMapping[str, str]) -> None:
    """Add the headers that keep others out."""
    headers.setdefault("Content-Security-Policy", _PAGE_CSP)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cache-Control"] = "no-store"


class PageServer:
    """Serves the page, and one WebSocket to each page that is open.

    The graph is listened to only while a page is open.
    """

    def __init__(self, feed: Feed, link: Link, access: Access, reports: ReportFolder) -> None:
        """Serve what ``feed`` keeps; call `app` inside an event loop."""
        self._feed, self._link, self._access, self._reports = feed, link, access, reports
        self._files = page_files()
        self._news: set[asyncio.Event] = set()
        self._looking = asyncio.Lock()
        self._open: set[web.WebSocketResponse] = set()
        # Cookies don't know ports, and several servers may run on one machine.
        self._cookie = f"dasha_watch_{hashlib.sha256(access.token.encode()).hexdigest()[:8]}"

    def app(self) -> web.Application:
        """The application, for `aiohttp.web`."""
        loop = asyncio.get_running_loop()

        def changed() -> None:
            with contextlib.suppress(RuntimeError):  # The loop has ended, the graph's thread not yet.
                loop.call_soon_threadsafe(self._wake)

        self._feed.on_change = changed
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/", self._page)
        app.router.add_get("/ws", self._socket)
        app.router.add_get("/reports/{report}/{file}", self._report)
        app.router.add_get("/{file}", self._file)
        app.on_shutdown.append(self._shut)
        app.cleanup_ctx.append(self._checking)
        return app

    def _wake(self) -> None:
        for news in self._news:
            news.set()

    async def _shut(self, app: web.Application) -> None:
        for socket in list(self._open):
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the server ends")

    async def _checking(self, app: web.Application) -> AsyncIterator[None]:
        """Look up graph and reports now and then, while the server runs."""
        task = asyncio.create_task(self._check_often())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def _check_often(self) -> None:
        while True:
            if self._open:
                await self._check()
            await asyncio.sleep(_CHECK_S)

    async def _check(self) -> None:
        self._link.check()
        self._feed.fact("reports", await asyncio.to_thread(self._reports.newest))

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse who may not look, and give every answer the headers that keep others out."""
        if reason := self._access.refuse_host(request.headers.get("Host", "")):
            raise web.HTTPForbidden(text=reason)
        if not self._access.has_token(request.cookies.get(self._cookie, "")):
            if request.path != "/" or not self._access.has_token(request.query.get("token", "")):
                raise web.HTTPForbidden(
                    text="open the whole address that `dasha watch` printed, with its token"
                )
            enter = web.HTTPSeeOther("/")
            enter.set_cookie(self._cookie, self._access.token, httponly=True, samesite="Strict", path="/")
            raise enter
        try:
            response = await handler(request)
        except web.HTTPException as error:
            _protect(error.headers)
            raise
        if not response.prepared:
            _protect(response.headers)
        return response

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return self._answer("index.html")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return self._answer(request.match_info["file"])

    def _answer(self, name: str) -> web.Response:
        if name not in self._files:
            raise web.HTTPNotFound(text="there is no such file")
        content, kind = self._files[name]
        return web.Response(body=content, content_type=kind, charset="utf-8")

    async def _report(self, request: web.Request) -> web.StreamResponse:
        report, file = request.match_info["report"], request.match_info["file"]
        found = await asyncio.to_thread(self._reports.read, report, file)
        if found is None:
            raise web.HTTPNotFound(text="there is no such report on this machine")
        return web.Response(
            body=found[0], content_type=found[1], headers={"Content-Security-Policy": _REPORT_CSP}
        )

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        origin, host = request.headers.get("Origin", ""), request.headers.get("Host", "")
        if reason := self._access.refuse_origin(origin, host):
            raise web.HTTPForbidden(text=reason)
        if len(self._open) >= MOST_PAGES:
            raise web.HTTPServiceUnavailable(text=f"{MOST_PAGES} pages are open already: close one")
        # Pictures are compressed already.
        socket = web.WebSocketResponse(heartbeat=_ALIVE_S, compress=False, max_msg_size=MOST_BYTES)
        self._open.add(socket)
        try:
            await socket.prepare(request)
            await self._serve(socket)
        finally:
            self._open.discard(socket)
            await self._look()
        return socket

    async def _serve(self, socket: web.WebSocketResponse) -> None:
        news = asyncio.Event()
        news.set()
        self._news.add(news)
        sending = asyncio.create_task(self._send(socket, news))
        try:
            await self._look()
            await self._check()
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._obey(socket, message.data)
        finally:
            self._news.discard(news)
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await sending

    async def _look(self) -> None:
        """Listen to the graph if a page is open."""
        async with self._looking:
            await asyncio.to_thread(self._link.look, bool(self._open))

    async def _send(self, socket: web.WebSocketResponse, news: asyncio.Event) -> None:
        seen = 0
        while not socket.closed:
            await news.wait()
            news.clear()
            update = self._feed.since(seen)
            seen = update.seen
            if update.text:
                await socket.send_str(update.text)
            if update.picture:
                await socket.send_bytes(update.picture)
            await asyncio.sleep(_PACE_S)

    async def _obey(self, socket: web.WebSocketResponse, text: str) -> None:
        """Do what a page asks, and tell this page alone if that is not possible."""
        try:
            order = parse_order(text)
            if isinstance(order, GoalOrder):
                await asyncio.to_thread(self._link.send, order)
            else:
                await asyncio.to_thread(self._link.cancel)
        except OrderError as error:
            await socket.send_json({"rows": [], "facts": {"trouble": str(error)}})
