"""A `configure` that fails anywhere leaves nothing behind, and the node can be configured afterwards."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from ros_harness import wait_for

pytestmark = [pytest.mark.graph, pytest.mark.slow]

CLASSES = {
    "camera_driver": "CameraDriver",
    "lens_driver": "LensDriver",
    "perception": "PerceptionNode",
    "high_level_agent": "HighLevelAgent",
    "low_level_agent": "LowLevelAgent",
    "focus_server": "FocusServer",
    "trainer": "Trainer",
    "device_emulator": "DeviceEmulator",
}
MOST = 30
"""No node makes so many topics."""


class Broken(Exception):
    """The fault that the test injects."""


@pytest.fixture
def context(ros_env: dict[str, str]) -> Iterator[None]:
    import rclpy

    rclpy.init(args=["test"], domain_id=int(ros_env["ROS_DOMAIN_ID"]))
    yield
    rclpy.try_shutdown()


def entities(node: Any) -> dict[str, list[str]]:
    """What a node has in the graph, and the threads of this process."""
    return {
        "publishers": sorted(publisher.topic_name for publisher in node.publishers),
        "subscriptions": sorted(subscription.topic_name for subscription in node.subscriptions),
        "services": sorted(service.srv_name for service in node.services),
        "clients": sorted(client.srv_name for client in node.clients),
        "waitables": sorted(type(waitable).__name__ for waitable in node.waitables),
        "threads": sorted(thread.name for thread in threading.enumerate()),
    }


@pytest.fixture
def run(context: None) -> Iterator[Any]:
    """Spins a node in a thread, as its process does."""
    from dasha_ros.ros.node.executor import SafeSingleThreadedExecutor

    executor, over = SafeSingleThreadedExecutor(), threading.Event()
    thread = threading.Thread(target=lambda: _spin(executor, over), name="executor")
    nodes: list[Any] = []

    def start(node: Any) -> Any:
        nodes.append(node)
        executor.add_node(node)
        thread.start()
        return node

    yield start
    for node in nodes:
        node.end()
    over.set()
    if nodes:
        executor.create_task(lambda: None)
        thread.join()
    executor.shutdown()
    for node in nodes:
        node.destroy_node()


def _spin(executor: Any, over: threading.Event) -> None:
    while not over.is_set():
        executor.spin_once(timeout_sec=0.1)


def made(name: str, tmp_path: Path) -> Any:
    """A node of this process, not configured yet."""
    module = importlib.import_module(f"dasha_ros.nodes.{name}")
    node = getattr(module, CLASSES[name])()
    if name == "device_emulator":
        from rclpy.parameter import Parameter

        paths = {"lens_link": tmp_path / "lens", "camera_socket": tmp_path / "camera"}
        node.set_parameters([Parameter(key, value=str(path)) for key, path in paths.items()])
    return node


@pytest.mark.parametrize("name", CLASSES)
def test_whatever_fails_the_node_is_as_before_and_can_be_configured(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from rclpy.lifecycle import TransitionCallbackReturn

    node = run(made(name, tmp_path))
    told: list[str] = []
    monkeypatch.setattr(node.health, "error", lambda key, sentence: told.append(sentence))
    # The action server is made once, and kept as long as the node lives.
    assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS, told
    assert node.trigger_cleanup() == TransitionCallbackReturn.SUCCESS
    before = entities(node)
    makers = ("create_publisher", "create_subscription", "create_client", "create_service")
    for failing in range(MOST):
        calls = [0]
        with monkeypatch.context() as patch:
            for maker in makers:
                patch.setattr(node, maker, breaking(getattr(node, maker), calls, failing))
            result = node.trigger_configure()
        if result == TransitionCallbackReturn.SUCCESS:
            break
        assert told == [f"{name} could not configure: call {failing}"]
        told.clear()
        # What is released may wait for a callback that is running.
        with suppress(AssertionError):  # The next line tells more.
            wait_for(lambda: entities(node) == before, "what was made to be released")
        assert entities(node) == before
    else:
        pytest.fail(f"{name} makes more than {MOST} topics")
    assert failing > 0, "nothing was made"
    assert node.trigger_cleanup() == TransitionCallbackReturn.SUCCESS
    assert not told


def breaking(make: Any, calls: list[int], failing: int) -> Any:
    def attempt(*arguments: Any, **options: Any) -> Any:
        calls[0] += 1
        if calls[0] == failing + 1:
            raise Broken(f"call {failing}")
        return make(*arguments, **options)

    return attempt
