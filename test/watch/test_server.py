"""The page's server over real connections, with a graph that only notes what it is asked."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from ros_harness import PATIENCE_S

from dasha_ros.watch import server as module
from dasha_ros.watch.access import Access
from dasha_ros.watch.feed import Feed
from dasha_ros.watch.orders import GoalOrder, OrderError
from dasha_ros.watch.reports import ReportFolder
from dasha_ros.watch.server import PageServer, page_files

PAGE_BYTES = 300_000
LOCAL = Access.of("127.0.0.1")
REPORT = "20261127T214838214Z-person"


class Graph:
    """Stands in for `link.GraphLink`."""

    def __init__(self) -> None:
        self.looks: list[bool] = []
        self.orders: list[GoalOrder | str] = []

    def look(self, wanted: bool) -> None:
        if wanted != (self.looks[-1:] == [True]):
            self.looks.append(wanted)

    def check(self) -> None:
        pass

    def send(self, order: GoalOrder) -> None:
        if order.wanted == ["too many"]:
            raise OrderError("enough goals")
        self.orders.append(order)

    def cancel(self) -> None:
        self.orders.append("cancel")


class Site:
    """A running server, and browsers for it."""

    def __init__(self, client: TestClient[Any, Any], feed: Feed, graph: Graph, access: Access) -> None:
        self.client, self.feed, self.graph, self.access = client, feed, graph, access
        self.host = f"127.0.0.1:{client.port}"

    async def page(self, **headers: str) -> aiohttp.ClientWebSocketResponse:
        return await self.client.ws_connect("/ws", headers={"Origin": f"http://{self.host}", **headers})

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        async def wait() -> None:
            while not condition():
                await asyncio.sleep(0.01)

        try:
            await asyncio.wait_for(wait(), PATIENCE_S)
        except asyncio.TimeoutError:
            raise AssertionError(f"waited {PATIENCE_S:g} s for {what}") from None


def on_site(visit: Callable[[Site], Awaitable[None]], tmp_path: Path, access: Access = LOCAL) -> None:
    async def main() -> None:
        feed, graph = Feed(), Graph()
        app = PageServer(feed, graph, access, ReportFolder(tmp_path)).app()
        async with TestClient(TestServer(app), cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
            await visit(Site(client, feed, graph, access))

    asyncio.run(main())


async def read(page: aiohttp.ClientWebSocketResponse, wanted: Callable[[Any], bool]) -> Any:
    """The first message (parsed, or the bytes of a picture) that is wanted."""
    while True:
        message = await page.receive(timeout=90.0)
        assert message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), message
        content = json.loads(message.data) if message.type is aiohttp.WSMsgType.TEXT else message.data
        if wanted(content):
            return content


def has_row(n: int) -> Callable[[Any], bool]:
    return lambda m: isinstance(m, dict) and any(row.get("n") == n for row in m["rows"])


def test_the_page_is_small_and_asks_nobody_else() -> None:
    files = page_files()
    assert {"index.html", "page.js", "page.css", "curves.js", "region.js", "uPlot.iife.min.js"} <= set(files)
    assert sum(len(content) for content, _ in files.values()) <= PAGE_BYTES
    page = files["index.html"][0].decode()
    own = re.findall(r"(?:src|href)=\"?([^\">\s]+)", page)
    assert set(own) <= set(files)
    for name in ("page.js", "curves.js", "region.js", "page.css", "index.html"):
        assert not re.search(r"https?://|innerHTML|eval\(", files[name][0].decode()), name
    assert not re.search(r"<style|\son\w+=|style=", page), (
        "the content policy forbids scripts and styles inline"
    )


def test_the_licence_of_the_plotting_library_comes_with_it() -> None:
    folder = Path(module.__file__).parent / "web"
    assert "MIT License" in (folder / "uPlot.LICENSE").read_text()


def test_every_answer_keeps_others_out(tmp_path: Path) -> None:
    async def visit(site: Site) -> None:
        for path, status in (("/", 200), ("/page.js", 200), ("/uPlot.min.css", 200), ("/other", 404)):
            answer = await site.client.get(path)
            assert answer.status == status
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"

    on_site(visit, tmp_path)


@pytest.mark.parametrize(
    "path",
    ["/../server.py", "/%2e%2e/server.py", "/..%2fserver.py", "/web/../server.py", "//etc/passwd",
     "/etc/passwd", "/uPlot.LICENSE", "/.", "/%00", "/page.js%00", "/page.js/", "/reports/",
     "/reports/../page.js", "/reports/..%2f..%2fetc/passwd", f"/reports/{REPORT}/..%2f..%2fsecret.html",
     f"/reports/{REPORT}/report.json"],
)  # fmt: skip
def test_no_path_leads_to_other_files(tmp_path: Path, path: str) -> None:
    (tmp_path / REPORT).mkdir()
    (tmp_path / REPORT / "report.json").write_text("{}")

    async def visit(site: Site) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.client.port)
        # By hand, because a client would tidy the path up.
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {site.host}\r\nConnection: close\r\n\r\n".encode())
        status = (await asyncio.wait_for(reader.readline(), PATIENCE_S)).split()[1]
        writer.close()
        assert status in {b"404", b"400"}

    on_site(visit, tmp_path)


def test_only_reading_is_possible(tmp_path: Path) -> None:
    async def visit(site: Site) -> None:
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            assert (await site.client.request(method, "/", data=b"x")).status == 405

    on_site(visit, tmp_path)


def test_a_report_is_shown_but_nothing_in_it_runs(tmp_path: Path) -> None:
    (tmp_path / REPORT).mkdir()
    (tmp_path / REPORT / "index.html").write_text("<script>alert(1)</script>")

    async def visit(site: Site) -> None:
        answer = await site.client.get(f"/reports/{REPORT}/index.html")
        assert (answer.status, await answer.text()) == (200, "<script>alert(1)</script>")
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script" not in policy
        page = await site.page()
        assert await read(page, lambda m: isinstance(m, dict) and m["facts"].get("reports") == [REPORT])

    on_site(visit, tmp_path)


@pytest.mark.parametrize("path", ["/", "/ws", "/page.js", f"/reports/{REPORT}/index.html"])
def test_other_names_are_refused_everywhere(tmp_path: Path, path: str) -> None:
    async def visit(site: Site) -> None:
        answer = await site.client.get(path, headers={"Host": "evil.example"})
        assert answer.status == 403
        assert "--allow-host" in await answer.text()

    on_site(visit, tmp_path)


def test_scripts_of_other_sites_get_no_connection(tmp_path: Path) -> None:
    async def visit(site: Site) -> None:
        for origin in ("http://evil.example", "null", "", f"http://127.0.0.1:{site.client.port + 1}"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await site.page(Origin=origin)
            assert refused.value.status == 403
        assert site.graph.looks == [] or site.graph.looks == [False]

    on_site(visit, tmp_path)


def test_an_open_server_wants_its_token_for_everything(tmp_path: Path) -> None:
    access = Access.of("0.0.0.0")

    async def visit(site: Site) -> None:
        for path in ("/", "/page.js", "/ws", "/?token=wrong", f"/page.js?token={access.token}"):
            assert (await site.client.get(path)).status == 403
        entered = await site.client.get(f"/?token={access.token}", allow_redirects=False)
        assert (entered.status, entered.headers["Location"]) == (303, "/")
        cookie = entered.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert (await site.client.get("/page.js")).status == 200
        page = await site.page()
        site.feed.row(n=1)
        assert await read(page, has_row(1))

    on_site(visit, tmp_path, access)


def test_the_graph_is_listened_to_only_while_a_page_is_open(tmp_path: Path) -> None:
    async def visit(site: Site) -> None:
        pages = [await site.page() for _ in range(3)]
        await site.until(lambda: site.graph.looks == [True], "listening")
        await pages[0].close()
        await pages[1].close()
        site.feed.row(n=1)
        await read(pages[2], has_row(1))
        assert site.graph.looks == [True]
        await pages[2].close()
        await site.until(lambda: site.graph.looks == [True, False], "the end of listening")
        again = await site.page()
        await site.until(lambda: site.graph.looks == [True, False, True], "listening again")
        await again.close()

    on_site(visit, tmp_path)


def test_all_pages_get_rows_and_pictures_also_one_that_opens_later(tmp_path: Path) -> None:
    async def visit(site: Site) -> None:
        early = [await site.page() for _ in range(3)]
        site.feed.row(n=1)
        site.feed.picture(b"\xff\xd8picture")
        late = await site.page()
        for page in (*early, late):
            assert await read(page, has_row(1))
            assert await read(page, lambda m: isinstance(m, bytes)) == b"\xff\xd8picture"

    on_site(visit, tmp_path)


def test_a_page_that_reads_nothing_holds_nobody_up(tmp_path: Path) -> None:
    async def visit(site: Site) -> None:
        # This one never reads: its socket fills, and the server waits for it alone.
        reader, writer = await asyncio.open_connection("127.0.0.1", site.client.port, limit=1024)
        writer.write(
            f"GET /ws HTTP/1.1\r\nHost: {site.host}\r\nOrigin: http://{site.host}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        assert b"101" in await reader.readline()
        page = await site.page()
        for n in range(12):
            site.feed.picture(bytes(2_000_000))
            site.feed.row(n=n)
            await read(page, has_row(n))
        writer.close()

    on_site(visit, tmp_path)


def test_the_graph_may_change_the_feed_from_its_own_thread(tmp_path: Path) -> None:
    async def visit(site: Site) -> None:
        page = await site.page()
        thread = threading.Thread(target=lambda: site.feed.row(n=7))
        thread.start()
        assert await read(page, has_row(7))
        thread.join()

    on_site(visit, tmp_path)


def test_goals_and_cancels_reach_the_graph_and_trouble_comes_back(tmp_path: Path) -> None:
    async def visit(site: Site) -> None:
        page, other = await site.page(), await site.page()
        await page.send_str('{"do":"goal","labels":["cup"]}')
        await page.send_str('{"do":"cancel"}')
        await site.until(lambda: len(site.graph.orders) == 2, "both orders")
        order = site.graph.orders[0]
        assert isinstance(order, GoalOrder)
        assert (order.wanted, site.graph.orders[1]) == (["cup"], "cancel")
        for text, told in (
            ('{"do":"goal","min_score":7}', "min_score"),
            ("not JSON", "JSON"),
            ('{"do":"goal","labels":["too many"]}', "enough goals"),
        ):
            await page.send_str(text)
            answer = await read(page, lambda m: isinstance(m, dict) and "trouble" in m["facts"])
            assert told in answer["facts"]["trouble"]
        site.feed.row(n=1)
        assert "trouble" not in (await read(other, has_row(1)))["facts"]

    on_site(visit, tmp_path)


def test_a_flood_of_bytes_ends_only_its_own_page(tmp_path: Path) -> None:
    async def visit(site: Site) -> None:
        page, other = await site.page(), await site.page()
        await page.send_str("x" * (module.MOST_BYTES + 1))
        while (message := await page.receive(timeout=90.0)).type is aiohttp.WSMsgType.TEXT:
            pass
        assert message.type is aiohttp.WSMsgType.CLOSE
        site.feed.row(n=1)
        assert await read(other, has_row(1))

    on_site(visit, tmp_path)


def test_too_many_pages_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PAGES", 2)

    async def visit(site: Site) -> None:
        pages = [await site.page() for _ in range(2)]
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await site.page()
        assert refused.value.status == 503
        await pages[0].close()
        again = await site.page()
        site.feed.row(n=1)
        assert await read(again, has_row(1))

    on_site(visit, tmp_path)
