"""``dasha watch`` as a person meets it: the command, a graph that speaks ROS, and a real browser."""

from __future__ import annotations

import asyncio
import re
import signal
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from browser import chromium, tab
from ros_harness import Child, Probe, Spawner, wait_for

pytestmark = pytest.mark.graph

SERVER = Path(__file__).parents[1] / "cli" / "fake_focus_server.py"
BRIGHTNESS = 200


DRAG = """(() => {
  const view = document.getElementById('view');
  const frame = document.getElementById('picture').getBoundingClientRect();
  view.setPointerCapture = () => {};
  const at = (kind, x, y) => view.dispatchEvent(new PointerEvent(kind, {
    clientX: frame.left + x * frame.width, clientY: frame.top + y * frame.height, pointerId: 1 }));
  at('pointerdown', 0.5, 0.75); at('pointermove', 0.3, 0.3); at('pointerup', 0.25, 0.25);
})()"""


class Robot:
    """What the nodes of a graph publish, on demand."""

    def __init__(self, probe: Probe) -> None:
        from sensor_msgs.msg import CompressedImage

        from dasha_ros import msg
        from dasha_ros.ros.transport import qos

        self.msg, self.picture_kind, self.probe, self.steps = msg, CompressedImage, probe, 0
        create = probe.node.create_publisher
        self.percepts = create(msg.Percept, "perception/percept", qos.PERCEPT)
        self.pictures = create(CompressedImage, "perception/annotated/compressed", qos.IMAGE)
        self.rewards = create(msg.Reward, "reward", qos.REWARD)
        self.beliefs = create(msg.Belief, "focus/belief", qos.PERCEPT)
        info = create(msg.PerceptionInfo, "perception/info", qos.STATE)
        info.publish(msg.PerceptionInfo(encoder="e", detector="d", labels=["cup", "<b>person</b>"]))

    def listeners(self) -> list[int]:
        return [
            p.get_subscription_count() for p in (self.percepts, self.pictures, self.rewards, self.beliefs)
        ]

    def step(self) -> None:
        """Publish what one step of a goal does."""
        self.steps += 1
        percept = self.msg.Percept(width=640, height=340, brisque=30.0 + self.steps, encoder="e")
        percept.capture.exposure_us = 1000.0 * self.steps
        percept.lens.position, percept.lens.unit, percept.lens.focus_distance_m = 40.0, "V", 0.5
        percept.detections = [self.msg.Detection(label="cup", score=0.75)]
        self.percepts.publish(percept)
        _, jpeg = cv2.imencode(".jpg", np.full((340, 640, 3), BRIGHTNESS, np.uint8))
        self.pictures.publish(self.picture_kind(format="jpeg", data=jpeg.tobytes()))
        self.rewards.publish(self.msg.Reward(agent="A^L", value=-1.0 / self.steps))
        self.beliefs.publish(self.msg.Belief(dioptres=[1.0, 2.0, 3.0], probability=[0.2, 0.7, 0.1]))


def watch(spawn: Spawner, tmp_path: Path, *options: str) -> tuple[Child, str]:
    """Start the command; returns the page's address."""
    child = spawn.dasha("watch", "--port", "0", "--reports", str(tmp_path / "reports"), *options)
    return child, child.wait_for_output("open http").partition(" ")[2]


def nobody(robot: Robot) -> bool:
    return robot.listeners() == [0, 0, 0, 0]


def test_a_person_sees_the_graph_and_sends_a_goal(spawn: Spawner, probe: Probe, tmp_path: Path) -> None:
    chromium()
    server = spawn.python(str(SERVER))
    server.wait_for_output("ready")
    report = tmp_path / "reports" / "20261127T214838214Z-cup"
    report.mkdir(parents=True)
    child, address = watch(spawn, tmp_path)
    robot = Robot(probe)
    assert nobody(robot), "the graph works for a page that nobody has opened"

    async def visit() -> None:
        async with tab(address, tmp_path / "profile") as page:
            await page.until("document.getElementById('state').textContent === 'idle'")
            await page.until("document.getElementById('message').textContent === 'waiting for a goal'")
            wait_for(lambda: robot.listeners() == [1, 1, 1, 1], "the page to listen")
            for n in range(1, 4):
                robot.step()
                await page.until(f"curves.rows.reward.length === {n} && curves.rows.exposure.length === {n}")
            await page.until("document.getElementById('picture').naturalWidth === 640")
            grey = await page.value(
                "(() => { const c = document.createElement('canvas'), g = c.getContext('2d');"
                "g.drawImage(document.getElementById('picture'), 0, 0);"
                "return g.getImageData(100, 100, 1, 1).data[0]; })()"
            )
            assert abs(grey - BRIGHTNESS) <= 2
            curves = await page.value("curves.plots.map((plot) => plot.data[1])")
            assert curves[0] == [1.0, 2.0, 3.0]  # ms
            assert curves[1:4] == [[40.0] * 3, [0.75] * 3, [31.0, 32.0, 33.0]]
            assert curves[4] == pytest.approx([-1.0, -1 / 2, -1 / 3], abs=1e-5)
            # What other topics carry may come later than the rewards.
            await page.until("belief.plot.data[0].length === 3")
            assert await page.value("belief.plot.data") == [[1, 2, 3], pytest.approx([0.2, 0.7, 0.1])]
            assert await page.value("belief.lens") == 2.0
            await page.until("document.getElementById('known').children.length > 0")
            assert await page.value("[...document.getElementById('known').children].map((o) => o.value)") == [
                "cup",
                "<b>person</b>",
            ]
            await page.until("document.querySelector('#reports a') !== null")
            assert await page.value("document.querySelector('#reports a').textContent") == report.name

            await page.value("document.getElementById('labels').value = 'cup'")
            await page.value("document.getElementById('min_score').value = '0.5'")
            await page.value("document.getElementById('keep_exposure').checked = true")
            await page.value("document.getElementById('send').click()")
            await page.until("document.getElementById('outcome').textContent.startsWith('cup: found')")
            await asyncio.to_thread(server.wait_for_output, "goal cup 0.5 True")

            await page.value("document.getElementById('labels').value = ''")
            await page.value("document.getElementById('max_seconds').value = '9'")
            await page.value(DRAG)
            await asyncio.to_thread(server.wait_for_output, "wishes [0.25, 0.25, 0.5, 0.75] 0..0 m 9 s")
            await page.until("document.getElementById('outcome').textContent.startsWith('the region: found')")
            assert await page.value("document.getElementById('region').style.width") == "25%"

            await page.value(
                "document.getElementById('labels').value = 'wait'; document.getElementById('send').click()"
            )
            await asyncio.to_thread(server.wait_for_output, "goal wait")
            await page.value(
                "document.getElementById('cancel').disabled = false;document.getElementById('cancel').click()"
            )
            await asyncio.to_thread(server.wait_for_output, "restored after CANCELED")
            await page.until("document.getElementById('outcome').className === 'bad'")

            await page.value(
                "document.getElementById('labels').value = 'reject'; document.getElementById('send').click()"
            )
            await page.until("document.getElementById('outcome').textContent.includes('not to my taste')")
            await page.screenshot(tmp_path / "page.png")
            assert page.errors == []

            # The graph ends and comes back, in the same state.
            await asyncio.to_thread(server.stop)
            await page.until("document.getElementById('state').textContent === 'no graph'")
            back = spawn.python(str(SERVER))
            await asyncio.to_thread(back.wait_for_output, "ready")
            await page.until("document.getElementById('state').textContent === 'idle'")
            assert await page.value("document.getElementById('trouble').hidden")

            # The server ends and comes back: the page connects again by itself.
            assert await asyncio.to_thread(child.stop, signal.SIGTERM) == 143
            await page.until("document.getElementById('state').textContent === 'not connected'")
            port = re.search(r":(\d+)/", address)
            assert port is not None
            spawn.dasha("watch", "--port", port[1], "--reports", str(tmp_path / "reports"))
            await page.until("document.getElementById('state').textContent === 'idle'")

    asyncio.run(visit())
    wait_for(lambda: nobody(robot), "the last page to be closed")


def test_a_page_without_a_graph_says_what_to_start(spawn: Spawner, tmp_path: Path) -> None:
    from aiohttp import ClientSession

    child, address = watch(spawn, tmp_path)

    async def facts() -> Any:
        async with ClientSession() as session:
            origin = address.rstrip("/")
            async with session.ws_connect(f"{origin}/ws", headers={"Origin": origin}) as socket:
                return (await socket.receive_json(timeout=90.0))["facts"]

    assert asyncio.run(facts())["graph"] == {"there": False, "namespace": "/dasha"}
    assert child.stop() == 130


def test_a_port_in_use_is_refused_with_a_sentence(spawn: Spawner, tmp_path: Path) -> None:
    _, address = watch(spawn, tmp_path)
    port = address.rpartition(":")[2].strip("/")
    second = spawn.dasha("watch", "--port", port)
    assert second.wait() == 2
    assert f"can't listen on 127.0.0.1, port {port}" in second.output


def test_an_address_of_another_machine_is_refused_with_what_to_give(spawn: Spawner) -> None:
    # 192.0.2.0/24 is for documentation (RFC 5737): no machine has such an address.
    child = spawn.dasha("watch", "--host", "192.0.2.1", "--port", "0")
    assert child.wait() == 2
    assert "can't listen on 192.0.2.1: this machine has no such address. Give --host 0.0.0.0" in child.output


@pytest.mark.parametrize("options", [("--allow-host", "robot.example:8899"), ("--host", "")])
def test_what_is_no_name_of_a_machine_is_refused(spawn: Spawner, options: tuple[str, str]) -> None:
    child = spawn.dasha("watch", "--port", "0", *options)
    assert child.wait() == 2
    assert f"error: {options[0]} {options[1]!r} is no name of a machine" in child.output


def test_an_open_page_prints_an_address_with_its_token(spawn: Spawner, tmp_path: Path) -> None:
    _, address = watch(spawn, tmp_path, "--host", "0.0.0.0")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{32}", address)
