"""The image, the compose file and the service: what can be checked without building or starting them."""

from __future__ import annotations

import configparser
import itertools
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from dasha_ros.system import shutdown_limits

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = DEPLOY / "Dockerfile"
KNOWN = {"ARG", "FROM", "SHELL", "ENV", "WORKDIR", "COPY", "RUN", "USER", "STOPSIGNAL", "ENTRYPOINT", "CMD"}


def instructions(text: str) -> list[tuple[str, str]]:
    """Each instruction of a Dockerfile with its argument, comments left out and continued lines joined."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", lines)
    return [(*line.split(maxsplit=1),) for line in joined.splitlines() if line.strip()]  # type: ignore[misc]


STEPS = instructions(DOCKERFILE.read_text(encoding="utf-8"))


def given(name: str) -> list[str]:
    return [argument for step, argument in STEPS if step == name]


def test_the_steps_are_those_that_docker_knows() -> None:
    assert {step for step, _ in STEPS} <= KNOWN
    assert given("FROM") == ["ros:${ROS_DISTRO}-ros-base"]
    assert given("ARG") == ["ROS_DISTRO=jazzy"]
    assert STEPS[0][0] == "ARG"


@pytest.mark.parametrize("command", given("RUN"))
def test_every_step_is_a_script_that_stops_at_its_first_failure(command: str) -> None:
    subprocess.run(["bash", "-n", "-c", command], check=True, timeout=90.0)
    assert ";" not in command, "a failure before a semicolon goes unnoticed"
    if "apt-get install" in command:
        assert command.startswith("apt-get update")
        assert "--no-install-recommends" in command
        assert command.endswith("rm -rf /var/lib/apt/lists/*")
    if "pip install" in command:
        assert "--no-cache-dir" in command


def test_what_is_copied_is_there_and_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    for argument in given("COPY"):
        *sources, _ = shlex.split(argument)
        for source in sources:
            assert (ROOT / source).exists()
            assert source not in ignored
    kept = {
        "package.xml",
        "CMakeLists.txt",
        "dasha_ros",
        "msg",
        "action",
        "config",
        "launch",
        "deploy",
        "scripts",
    }
    assert not kept & set(ignored)
    assert {".git", ".venv"} <= set(ignored)


def test_requirements_of_the_image_are_those_of_its_ubuntu() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    assert "requirements/ubuntu-24.04.txt" in text
    assert (ROOT / "requirements" / "ubuntu-24.04.txt").is_file()
    skipped = re.findall(r"--skip-keys (\S+)", text)
    manifest = (ROOT / "package.xml").read_text(encoding="utf-8")
    assert all(f"<exec_depend>{key}</exec_depend>" in manifest for key in skipped)
    pip = (ROOT / "requirements" / "ubuntu-24.04.txt").read_text(encoding="utf-8")
    assert all(
        re.search(rf"(?m)^{key.removeprefix('python3-').removesuffix('-pip')}\b", pip) for key in skipped
    )


def test_the_image_runs_as_a_user_and_ends_cleanly() -> None:
    (user,) = given("USER")
    assert user != "root"
    assert f"useradd --uid {user} " in DOCKERFILE.read_text(encoding="utf-8")
    assert given("STOPSIGNAL") == ["SIGINT"]
    entry = DEPLOY / "entrypoint.sh"
    assert given("ENTRYPOINT") == [f'["/opt/dasha/ws/src/dasha_ros/deploy/{entry.name}"]']
    assert entry.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(entry)], check=True, timeout=90.0)


@pytest.mark.parametrize(("asked", "told"), [(["dasha", "up"], "dasha: up"), (["echo", "a b"], "a b")])
def test_the_entry_runs_what_it_is_asked(tmp_path: Path, asked: list[str], told: str) -> None:
    """With the image's folders in a temporary place."""
    script = (DEPLOY / "entrypoint.sh").read_text()
    for folder in ("/opt/ros/", "/opt/dasha/"):
        script = script.replace(folder, f"{tmp_path}{folder}")
    for name in ("opt/ros/jazzy/setup.bash", "opt/dasha/ws/install/setup.bash"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("export SOURCED=$((SOURCED + 1))\n")
    command = tmp_path / "opt/dasha/ws/install/dasha_ros/lib/dasha_ros/dasha"
    command.parent.mkdir(parents=True)
    command.write_text('#!/bin/sh\n[ "$SOURCED" = 2 ] && echo "dasha: $*"\n')
    command.chmod(0o755)
    answer = subprocess.run(
        ["bash", "-c", script, "entrypoint", *asked],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
        timeout=90.0,
    )
    assert answer.stdout.strip() == told


def services() -> dict[str, dict[str, Any]]:
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"])


def test_the_page_shares_memory_and_network_with_the_graph_and_only_this_machine_reaches_it() -> None:
    graph, watch = services()["graph"], services()["watch"]
    assert graph["image"] == watch["image"]
    assert graph["build"] == {"context": "..", "dockerfile": "deploy/Dockerfile"}
    assert (graph["ipc"], watch["ipc"]) == ("shareable", "service:graph")
    assert watch["network_mode"] == "service:graph"
    (published,) = graph["ports"]
    port = watch["command"][watch["command"].index("--port") + 1]
    assert published == f"127.0.0.1:{port}:{port}"
    assert float(graph["stop_grace_period"].removesuffix("s")) > 2 * shutdown_limits.PROCESS_ENDS_S
    assert {entry.partition(":")[0] for entry in [*graph["volumes"], *watch["volumes"]]} == {"home"}


@pytest.mark.parametrize("name", ["graph", "watch"])
def test_the_commands_of_the_services_exist(name: str) -> None:
    from typer.testing import CliRunner

    from dasha_ros.cli import app

    program, command, *options = services()[name]["command"]
    assert program == "dasha"
    answer = CliRunner().invoke(app, [command, *options, "--help"])
    assert answer.exit_code == 0
    for option in options:
        assert not option.startswith("--") or option in answer.output


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(DEPLOY / "dasha.service", encoding="utf-8")
    return parser


def test_the_service_restores_before_it_ends_and_does_not_repeat_a_wrong_configuration() -> None:
    from dasha_ros.config import ConfigError

    service = unit()["Service"]
    assert service["RestartPreventExitStatus"] == str(ConfigError.EXIT_CODE)
    assert (service["KillSignal"], service["KillMode"]) == ("SIGINT", "mixed")
    assert float(service["TimeoutStopSec"]) > 2 * shutdown_limits.PROCESS_ENDS_S
    assert service["User"] != "root"
    # ros2 launch ends with 1 whatever went wrong; without a limit it would start for ever.
    limits = unit()["Unit"]
    starts, within_s = int(limits["StartLimitBurst"]), float(limits["StartLimitIntervalSec"])
    assert starts * (float(service["RestartSec"]) + 5.0) < within_s


def test_the_service_starts_what_is_there() -> None:
    text = (DEPLOY / "dasha.service").read_text(encoding="utf-8")
    commands = re.findall(r"(?m)^(?:# )?ExecStart=(.+)$", text)
    assert len(commands) == 2
    launch = shlex.split(shlex.split(commands[0])[2])
    assert "dasha.launch.py" in launch
    # Ubuntu's own Python has no library that is new enough.
    sourced = [after for word, after in itertools.pairwise(launch) if word == "source"]
    assert [Path(name).name for name in sourced] == ["setup.bash", "activate", "setup.bash"]
    assert (ROOT / "launch" / "dasha.launch.py").is_file()
    assert shlex.split(commands[1])[1:3] == ["up", "--params-file"]


def test_the_service_finds_photographs_and_models_outside_of_homes() -> None:
    service = unit()["Service"]
    assert service["ProtectHome"] == "yes"
    text = (DEPLOY / "dasha.service").read_text(encoding="utf-8")
    (folder,) = re.findall(r"(?m)^Environment=DASHA_ASSETS=(.+)$", text)
    assert not folder.startswith(("/home", "/root", "~"))
    page = (ROOT / "docs" / "how-to" / "run-as-image-or-service.md").read_text(encoding="utf-8")
    assert f"DASHA_ASSETS={folder} dasha assets fetch" in page


def test_the_page_builds_as_the_image_does() -> None:
    page = (ROOT / "docs" / "how-to" / "build-on-a-ros-machine.md").read_text(encoding="utf-8")
    text = DOCKERFILE.read_text(encoding="utf-8")
    for skipped in re.findall(r"--skip-keys (\S+)", text):
        assert f"--skip-keys {skipped}" in page
    for words in ("venv --system-site-packages", "-r src/dasha_ros/requirements/ubuntu-24.04.txt"):
        assert words in text
        assert words in page


def test_systemd_accepts_the_service(tmp_path: Path) -> None:
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("systemd-analyze comes with systemd, which this machine lacks")
    answer = subprocess.run(
        [tool, "verify", str(DEPLOY / "dasha.service")], capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stderr) == (0, "")
