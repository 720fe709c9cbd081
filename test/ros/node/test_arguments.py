"""ROS arguments that can't be used end a node with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from ros_harness import Spawner

pytestmark = [pytest.mark.graph, pytest.mark.slow]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ("--params-file", "/no/such.yaml"),
            "after --ros-args: Couldn't parse params file",
        ),
        (("--remap", "x"), "after --ros-args: Couldn't parse remap rule"),
        (("-p", "a"), "after --ros-args: Couldn't parse parameter override rule"),
        (("--bogus", "3"), "it does not know ['--bogus', '3']"),
    ],
)
def test_a_node_names_the_argument(spawn: Spawner, arguments: tuple[str, ...], says: str) -> None:
    node = spawn.python("-m", "dasha_ros.nodes.twin_world", "--ros-args", *arguments)
    assert node.wait() == 2
    assert "configuration error: ROS can't" in node.output
    assert says in node.output
    assert "Traceback" not in node.output


def test_a_node_without_its_keys_says_how_to_make_them(spawn: Spawner, tmp_path: Path) -> None:
    """The folder is there, so that ROS finds out when the node is made, not before."""
    (tmp_path / "enclaves" / "left").mkdir(parents=True)
    environment = {
        "ROS_SECURITY_ENABLE": "true",
        "ROS_SECURITY_STRATEGY": "Enforce",
        "ROS_SECURITY_KEYSTORE": str(tmp_path),
    }
    arguments = ("--ros-args", "--enclave", "/left")
    node = spawn.python("-m", "dasha_ros.nodes.twin_world", *arguments, env=environment)
    assert node.wait() == 2
    assert "configuration error: ROS can't" in node.output
    assert "make_keystore.sh" in node.output
    assert "Traceback" not in node.output


def test_a_domain_that_is_none_is_no_argument(spawn: Spawner) -> None:
    node = spawn.python("-m", "dasha_ros.nodes.twin_world", env={"ROS_DOMAIN_ID": "abc"})
    assert node.wait() == 2
    assert "configuration error: ROS can't start: ROS_DOMAIN_ID" in node.output
