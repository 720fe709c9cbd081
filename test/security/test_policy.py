"""The SROS 2 policy: well-formed, complete, and given to the processes; the script that makes keys of it.

``test/nodes/test_manners.py`` compares it with a running graph.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from sros2_policy import forbidden, read, unused

from dasha_ros.bringup import graph as bringup
from dasha_ros.config import NODES
from dasha_ros.system.enclave import enclave_arguments
from dasha_ros.system.paths import share_dir

FOLDER = share_dir() / "config" / "security"
POLICY = FOLDER / "policy.xml"
HELPERS = {"tools", "client", "viewer"}
SECURE = {"ROS_SECURITY_ENABLE": "true"}


def test_every_node_has_an_enclave() -> None:
    assert set(read(POLICY)) == {f"/dasha/{name}" for name in {*NODES, *HELPERS}}


def test_nobody_may_act_as_another_node() -> None:
    policy = read(POLICY)
    for path, rules in policy.items():
        for other in policy.keys() - {path}:
            assert forbidden(rules, {"reply": {f"{other}/set_parameters"}})
    viewer = policy["/dasha/viewer"]
    assert not viewer["call"]
    assert forbidden(viewer, {"request": {"/dasha/camera_driver/set_parameters"}})
    assert forbidden(viewer, {"publish": {"/dasha/lens/command"}})
    client = policy["/dasha/client"]
    assert client["call"] == {"/dasha/focus_on_object"}
    assert not client["request"]


def test_only_who_commands_may_command() -> None:
    may = {path for path, rules in read(POLICY).items() if "/dasha/lens/command" in rules["publish"]}
    commanders = {"high_level_agent", "low_level_agent", "focus_server", "trainer", "tools"}
    assert may == {f"/dasha/{name}" for name in commanders}


def test_a_new_topic_and_one_that_is_gone_are_noticed() -> None:
    rules = read(POLICY)["/dasha/twin_world"]
    done = {rule: set(names) for rule, names in rules.items()}
    assert not forbidden(rules, done)
    assert not unused(rules, done)
    done["publish"] |= {"/dasha/twin/weather"}
    done["subscribe"] -= {"/clock"}
    assert forbidden(rules, done) == {"publish /dasha/twin/weather"}
    assert unused(rules, done) == {"subscribe /clock"}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("<topic>reward</topic>", "<service>reward</service>"),
        ('publish="ALLOW"', 'publish="PERHAPS"'),
        ('publish="ALLOW"', 'announce="ALLOW"'),
        ('<profile ns="/dasha" ', "<profile "),
        ('version="0.2.0"', 'version="0.1.0"'),
        ('path="/dasha/trainer"', 'path="/dasha/tools"'),
    ],
)
def test_the_reader_is_as_strict_as_the_schema(right: str, wrong: str, tmp_path: Path) -> None:
    text = POLICY.read_text()
    assert right in text
    (tmp_path / "policy.xml").write_text(text.replace(right, wrong, 1))
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        read(tmp_path / "policy.xml")


def test_each_process_gets_its_enclave_where_security_is_on() -> None:
    options = bringup.Options(namespace="/left", log_level="debug", learn=True)
    graph = bringup.describe(options, SECURE)
    for process in graph.processes:
        assert process.ros_arguments[:3] == ("--enclave", process.full_name, "--log-level")
        assert "--enclave" in process.command()
    assert not any("--enclave" in p.ros_arguments for p in bringup.describe(options, {}).processes)


@pytest.mark.parametrize("value", ["false", "", "1", "TRUE"])
def test_security_is_on_as_rcl_reads_it(value: str) -> None:
    """In rcl's ``security.c``, any value but ``true`` means off."""
    assert enclave_arguments("/dasha/tools", {"ROS_SECURITY_ENABLE": value}) == ()
    assert enclave_arguments("/dasha/tools", SECURE) == ("--enclave", "/dasha/tools")


ROS2 = """#!/bin/sh
[ "$2" = --help ] && exit
echo "$@" >> "$(dirname "$0")/calls"
case $2 in
  create_keystore) mkdir -p "$3/enclaves" ;;
  generate_artifacts) cp "$6" "$(dirname "$0")/given.xml" ;;
esac
"""


def make_keystore(
    tmp_path: Path, *arguments: str, ros2: str | None = ROS2
) -> subprocess.CompletedProcess[str]:
    """Run the script with a ``ros2`` that writes down what it was called with."""
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir(exist_ok=True)
    if ros2 is not None:
        (bin_dir / "ros2").write_text(ros2)
        (bin_dir / "ros2").chmod(0o755)
    return subprocess.run(
        ["bash", str(FOLDER / "make_keystore.sh"), *arguments],
        env={"PATH": f"{bin_dir}:{os.defpath}", "ROS_DOMAIN_ID": "7", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=90.0,
        check=False,
    )


def test_the_script_makes_keys_of_any_namespace(tmp_path: Path) -> None:
    keys = tmp_path / "my keys"
    answer = make_keystore(tmp_path, str(keys), "/arm/left")
    assert answer.returncode == 0, answer.stderr
    calls = (tmp_path / "bin" / "calls").read_text().splitlines()
    assert [call.split()[1] for call in calls] == ["create_keystore", "generate_artifacts"]
    given, ours = read(tmp_path / "bin" / "given.xml"), read(POLICY)
    assert set(given) == {path.replace("/dasha", "/arm/left", 1) for path in ours}
    for path, rules in ours.items():
        moved = {
            rule: {n.replace("/dasha/", "/arm/left/", 1) for n in names} for rule, names in rules.items()
        }
        assert given[path.replace("/dasha", "/arm/left", 1)] == moved
    assert "in ROS domain 7" in answer.stderr
    told = subprocess.run(
        ["bash", "-c", f"{answer.stdout}\nenv"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    wanted = {f"ROS_SECURITY_KEYSTORE={keys}", "ROS_SECURITY_ENABLE=true", "ROS_SECURITY_STRATEGY=Enforce"}
    assert wanted <= set(told)
    again = make_keystore(tmp_path, str(keys))
    assert again.returncode == 0
    assert (tmp_path / "bin" / "calls").read_text().count("create_keystore") == 1
    assert not list(tmp_path.glob("*.xml"))


@pytest.mark.parametrize(
    ("arguments", "ros2", "code", "words"),
    [
        ((), ROS2, 2, "usage:"),
        (("keys", "left"), ROS2, 2, "'left' is not a namespace"),
        (("keys", '/a" node="b'), ROS2, 2, "is not a namespace"),
        (("keys", "/left__arm"), ROS2, 2, "single underscores"),
        (("keys", "/left", "nowhere.xml"), ROS2, 2, "there is no policy 'nowhere.xml'"),
        (("keys",), None, 1, "apt install ros-$ROS_DISTRO-sros2"),
        (("keys",), "#!/bin/sh\nexit 1\n", 1, "'ros2 security' is not here"),
    ],
)
def test_the_script_says_what_is_wrong(
    arguments: tuple[str, ...], ros2: str | None, code: int, words: str, tmp_path: Path
) -> None:
    answer = make_keystore(tmp_path, *arguments, ros2=ros2)
    assert answer.returncode == code
    assert words in answer.stderr
