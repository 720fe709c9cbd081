"""How a node's process ends, whenever the signal comes."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

import rclpy
from rclpy.lifecycle import TransitionCallbackReturn

from dasha_ros.config import NodeConfig
from dasha_ros.ros.node.node import DashaNode

pytestmark = [pytest.mark.graph, pytest.mark.usefixtures("ros_env")]

UNLUCKY = Path(__file__).with_name("unlucky_node.py")


def _end_at(moment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(UNLUCKY), moment], capture_output=True, text=True, timeout=600, check=False
    )


@pytest.mark.parametrize(
    "moment",
    [
        "before the start",
        "at work",
        "the terminal closes",
        "while ending",
        "asked while ending",
        "at the very end",
        "a library never ends",
    ],
)
def test_a_node_ended_by_a_signal_can_publish_and_receive_until_the_end(moment: str) -> None:
    ended = _end_at(moment)
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "an answer came" in ended.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("name", ["-m", "/opt/ros/jazzy/lib/dasha_ros/lens_driver"])
def test_a_node_that_still_loads_its_libraries_ends_without_a_word(number: int, name: str) -> None:
    program = (
        "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_DFL); "  # nohup ignores it
        f"sys.argv = [{name!r}]; import dasha_ros.nodes; "
        f"os.kill(os.getpid(), {int(number)}); signal.pause()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=600, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_the_signals_of_other_programs_are_left_alone() -> None:
    program = "import signal, dasha_ros.nodes; assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL"
    subprocess.run([sys.executable, "-c", program], timeout=600, check=True)


def test_a_node_that_loads_forever_still_ends() -> None:
    ended = _end_at("while loading")
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_node_in_which_python_is_blocked_shows_where_when_it_is_killed() -> None:
    command = [sys.executable, str(UNLUCKY), "Python is blocked"]
    # As a shell starts it in the background: it ignores SIGQUIT.
    command = ["sh", "-c", 'trap "" QUIT; exec "$@"', "sh", *command]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as node:
        assert node.stdout is not None
        assert "Python is blocked\n" in iter(node.stdout.readline, "")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
            node.send_signal(number)
        _, said = node.communicate(timeout=600)
    assert node.returncode == -signal.SIGQUIT
    assert "in block_python" in said


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("it hangs", "twin_world did not clean up within 2.5 s and was stopped"),
        ("bug at the end", "twin_world could not clean up: nothing is clean"),
    ],
)
def test_an_unclean_end_is_reported(moment: str, words: str) -> None:
    ended = _end_at(moment)
    assert ended.returncode == 1, ended.stderr
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
    # Where a thread stands tells a maintainer what it waited for.
    assert ("(most recent call first)" in ended.stderr) == (moment == "it hangs")


def test_an_executor_that_can_not_wait_ends_the_process_and_is_reported_once() -> None:
    ended = _end_at("bug")
    assert ended.returncode not in (0, None)
    # Only once, not for each of the fifty.
    assert 1 <= ended.stderr.count("internal error at the executor: ZeroDivisionError") < 5
    assert ended.stderr.rstrip().endswith("ZeroDivisionError: division by zero")


class Broken(DashaNode[NodeConfig]):
    config_model = NodeConfig
    trouble = ""

    def configure(self) -> None:
        if self.trouble:
            raise ValueError(self.trouble)

    cleanup = configure


def test_a_node_that_can_neither_configure_nor_clean_up_says_so_and_may_try_again() -> None:
    rclpy.init(args=[])
    node = Broken("broken")
    try:
        node.trouble = "no models"
        assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
        assert node.health.status().sentence == "broken could not clean up: no models"
        node.trouble = ""
        assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
