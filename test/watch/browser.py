"""A headless Chromium, driven through its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import os
import re
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

START_S = 90.0


def chromium() -> str:
    """Path of the browser; the test is skipped where it is missing."""
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))),
        None,
    )
    if found is None:
        pytest.skip("no Chromium is installed: `apt install chromium` installs it")
    return found


class Tab:
    """A page in the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._numbers = socket, itertools.count(1)
        self.errors: list[str] = []

    async def ask(self, method: str, **params: Any) -> Any:
        """Send a command and return its result. Errors of the page are kept in ``errors``."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while True:
            answer = await self._socket.receive_json(timeout=START_S)
            if answer.get("method") == "Runtime.exceptionThrown":
                self.errors.append(str(answer["params"]["exceptionDetails"]))
            if answer.get("method") == "Log.entryAdded" and answer["params"]["entry"]["level"] == "error":
                self.errors.append(answer["params"]["entry"]["text"])
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    async def value(self, expression: str) -> Any:
        """The value of an expression in the page."""
        answer = await self.ask(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, expression: str, timeout_s: float = START_S) -> Any:
        """The first true value of an expression."""

        async def wait() -> Any:
            while not (value := await self.value(expression)):
                await asyncio.sleep(0.05)
            return value

        try:
            return await asyncio.wait_for(wait(), timeout_s)
        except asyncio.TimeoutError:
            text = await self.value("document.body.innerText")
            raise AssertionError(
                f"waited {timeout_s:g} s for {expression}; {self.errors}; the page says:\n{text}"
            ) from None

    async def screenshot(self, path: Path) -> None:
        """Save what the window shows."""
        answer = await self.ask("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(answer["data"]))


@contextlib.asynccontextmanager
async def tab(url: str, folder: Path) -> AsyncIterator[Tab]:
    """Open a page; ``folder`` keeps the browser's profile."""
    program = subprocess.Popen(
        [chromium(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         "--remote-debugging-port=0", f"--user-data-dir={folder}", "--window-size=1300,1000", "about:blank"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        env={**os.environ, "HOME": str(folder)},
    )  # fmt: skip
    try:
        async with aiohttp.ClientSession() as session:
            port = await _port(folder / "DevToolsActivePort")
            async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                pages = [t for t in await answer.json() if t["type"] == "page"]
            async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                opened = Tab(socket)
                for domain in ("Runtime", "Log", "Page"):
                    await opened.ask(f"{domain}.enable")
                await opened.ask("Page.navigate", url=url)
                await opened.until("document.readyState === 'complete' && location.href !== 'about:blank'")
                yield opened
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        program.wait()


async def _port(file: Path) -> int:
    """The port of DevTools, which Chromium writes into a file of its profile."""

    async def wait() -> int:
        while True:
            with contextlib.suppress(OSError):
                if found := re.match(r"(\d+)\n", file.read_text()):
                    return int(found[1])
            await asyncio.sleep(0.05)

    return await asyncio.wait_for(wait(), START_S)
