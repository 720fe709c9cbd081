"""What a graph's processes and commands take from the user's environment."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dasha_ros.bringup import environment

FAST_DDS, OTHER, INDEX = "rmw_fastrtps_cpp", "rmw_cyclonedds_cpp", "share/ament_index/resource_index"


def test_environment_adds_only_what_the_user_has_not_set():
    added = environment.environment({})
    assert added == {"RMW_IMPLEMENTATION": "rmw_fastrtps_cpp", "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    assert environment.environment(added) == {}
    assert environment.environment({"ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}) == {
        "RMW_IMPLEMENTATION": "rmw_fastrtps_cpp"
    }


@pytest.mark.parametrize(
    ("installed", "chosen", "used"),
    [
        ([FAST_DDS], OTHER, FAST_DDS),
        ([FAST_DDS, OTHER], OTHER, OTHER),
        ([FAST_DDS], "", ""),
        ([OTHER], "rmw_zenoh_cpp", "rmw_zenoh_cpp"),
        ([], OTHER, OTHER),
    ],
    ids=["missing", "installed", "none chosen", "nothing to fall back on", "nobody knows"],
)
def test_middleware_that_is_not_installed_is_replaced_with_a_warning(
    tmp_path, monkeypatch, capsys, installed, chosen, used
):
    monkeypatch.setattr("dasha_ros.system.folders._told", set())
    for number, name in enumerate(installed):
        folder = tmp_path / str(number) / INDEX / "rmw_typesupport"
        folder.mkdir(parents=True)
        (folder / name).touch()
    environ = {"RMW_IMPLEMENTATION": chosen, "AMENT_PREFIX_PATH": f"{tmp_path / '0'}:{tmp_path / '1'}"}
    environment.settle_middleware(environ)
    assert environ["RMW_IMPLEMENTATION"] == used
    said = capsys.readouterr().err
    assert bool(said) == (chosen != used)
    assert not said or (OTHER in said and "unset the variable" in said)


def test_a_command_works_where_the_chosen_middleware_is_not_installed():
    """rcl would end the process with code 102 and a line of its own."""
    pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")
    environ = {**os.environ, "RMW_IMPLEMENTATION": "rmw_of_nobody", "ROS_DOMAIN_ID": "wrong"}
    command = [sys.executable, "-m", "dasha_ros.cli", "echo", "lens/state"]
    ended = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    assert ended.returncode == 2, ended.stderr
    warned, refused = ended.stderr.splitlines()
    assert "'rmw_of_nobody', which is not installed here" in warned
    assert "ROS_DOMAIN_ID is 'wrong'" in refused
