"""The command itself: quick to start, and clear when it refuses."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dasha_ros import __version__
from dasha_ros.cli import app
from dasha_ros.config import as_yaml


def run(*arguments: str):
    return CliRunner().invoke(app, list(arguments))


def test_help_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from dasha_ros.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print(sorted({'rclpy', 'cv2', 'numpy', 'pydantic', 'onnxruntime'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    for name in ("up", "focus", "demo", "echo", "doctor", "config", "assets", "benchmark", "version"):
        assert f" {name} " in done.stdout


def test_version_and_config():
    assert run("version").stdout == f"{__version__}\n"
    assert run("config").stdout == as_yaml()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("up", "--set", "camera_driver.gain_db=99"), "camera_driver: gain_db = 99"),
        (("up", "--rig", "submarine"), "unknown rig 'submarine'"),
        (("up", "--params-file", "/nowhere.yaml"), "/nowhere.yaml: there is no such file"),
        (("demo", "--set", "nonsense"), "'nonsense' is not an override"),
        (("demo", "--namespace", "7up"), "'7up' is not a valid namespace"),
        (("benchmark", "focus", "--scene", "atlantis", "--seeds", "1"), "no scene 'atlantis'"),
        (("focus", "cat", "--max-steps", str(2**32 + 1)), "--max-steps"),
        (("focus", "cat", "--min-score", "1.5"), "--min-score"),
        (("up", "--timeout", "-3"), "--timeout"),
        (("echo", "image", "--timeout", "-1"), "--timeout"),
        (("calibrate", "lens", "--low", "60", "--high", "40"), "--low 60 is not below --high 40"),
        (("benchmark", "focus", "--json", "/nowhere/x.json"), "there is no folder /nowhere"),
        (("benchmark", "focus", "--json", "/tmp"), "/tmp can't be written: it is a folder; name a file"),
        (("soak", "--json", "/tmp"), "/tmp can't be written: it is a folder"),
        (("calibrate", "lens", "-o", "/tmp"), "/tmp can't be written: it is a folder"),
        (("calibrate", "lens", "--plot", "/tmp/fit.docx"), "its name must end in one of .png"),
        (
            ("evaluate", "--stacks", "x", "--page", "/etc/passwd"),
            "a file of this name is there; name a folder",
        ),
        (("focus", "--max-seconds", "10s"), "'10s': a number is needed, without a unit"),
        (("watch", "--port", "http"), "'http': a whole number is needed"),
        (("focus", "--min-score", "2"), "'2': Input should be less than or equal to 1"),
        (("focus", "--region", "0.1,0.2"), "left, top, right and bottom, as in 0.4,0.3,0.6,0.7"),
        (("focus", "--distance", "1m,2m"), "'1m,2m' is not 2 numbers without units"),
        (("up", "--scene", "/etc/passwd"), "'/etc/passwd' is a file whose name does not end in .yaml"),
        (("up", "--scene", "/etc"), "'/etc' is a folder; give the path of a YAML file, or one of:"),
        (("study", "run", "/etc"), "'/etc' is a folder; give the path of a YAML file"),
        (("explain", "/etc"), "/etc holds no report.json: give the folder"),
        (("lens", "get", "--board", "toaster"), "unknown lens board 'toaster'; choose one of"),
        (("calibrate", "latency", "--driver", "passwd.txt"), "'passwd.txt' is not in the table"),
    ],
)
def test_refused_arguments_exit_with_2_and_the_reason(arguments, sentence, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    result = run(*arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("domain", ["abc", "300", "-1"])
@pytest.mark.parametrize(
    "arguments", [("focus", "cat"), ("up",), ("echo", "image"), ("doctor",), ("get", "perception"), ("demo",)]
)
def test_an_invalid_domain_is_refused_with_a_sentence(monkeypatch, domain, arguments):
    pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")
    monkeypatch.setenv("ROS_DOMAIN_ID", domain)
    result = run(*arguments)
    assert result.exit_code == 2
    assert f"error: ROS_DOMAIN_ID is '{domain}': set it to a number from 0 to 232" in result.stderr
    assert isinstance(result.exception, SystemExit)


def test_a_missing_folder_is_refused_in_one_line(tmp_path):
    result = run("evaluate", "--scenes", str(tmp_path / "nosuch"))
    assert result.exit_code == 2
    folder = tmp_path / "nosuch"
    assert result.stderr == f"error: {folder} is no folder: it is not there; give a folder with photographs\n"


@pytest.mark.parametrize(("arguments", "code"), [(("--help",), 0), (("evaluate", "--scenes", "/nosuch"), 2)])
def test_a_width_of_0_mutes_no_command(arguments, code):
    """Some terminals and services say so when they do not know their width."""
    command = [sys.executable, "-m", "dasha_ros.cli", *arguments]
    ended = subprocess.run(
        command, env={**os.environ, "COLUMNS": "0"}, capture_output=True, text=True, check=False, timeout=600
    )
    assert ended.returncode == code
    assert "/nosuch is no folder" in ended.stderr or "evaluate" in ended.stdout


def test_help_is_wrapped_once_and_keeps_its_brackets():
    lines = [line.strip() for line in run("demo", "--help").stdout.splitlines()]
    assert "The first" not in lines
    assert any(" The first" in line for line in lines)
    assert "read a frame in ms, for wall times." in " ".join(
        run("evaluate", "--help").stdout.replace("│", " ").split()
    )


def test_log_folder_that_can_not_be_made(tmp_path):
    (tmp_path / "file").touch()
    result = run("up", "--log-dir", str(tmp_path / "file" / "logs"))
    assert result.exit_code == 2
    assert "can't be made" in result.stderr


def test_assets_where(monkeypatch, tmp_path):
    monkeypatch.setenv("DASHA_ASSETS", str(tmp_path))
    assert run("assets", "where").stdout.strip() == str(tmp_path)
    result = run("assets", "check")
    assert result.exit_code == 1
    assert "missing" in result.stdout


def test_benchmark_writes_json(monkeypatch, tmp_path):
    rows = [{"policy": "p", "within_2px": 0.95, "episodes": 3}]
    asked = []

    def fake(policies, scenes, seeds, on_fault, **others):
        asked.append((policies, scenes, seeds))
        for policy in policies:
            if ":" in policy:
                on_fault(f"{policy} is at fault")
        return rows

    monkeypatch.setattr("dasha_ros.benchmark.focus.benchmark_focus", fake)
    path = tmp_path / "numbers.json"
    result = run("benchmark", "focus", "--policy", "p", "--scene", "s", "--seeds", "3", "--json", str(path))
    assert result.exit_code == 0
    assert asked == [(["p"], ["s"], 3)]
    assert json.loads(path.read_text()) == rows
    assert "95.0 %" in result.stdout
    faulty = run("benchmark", "focus", "--policy", "own:Mine")
    assert faulty.exit_code == 1
    assert "95.0 %" in faulty.stdout
    assert "error: own:Mine is at fault" in faulty.stderr


def test_processes_that_the_command_starts_can_import_it() -> None:
    # Children of multiprocessing import the parent's file under another name; it must do nothing then.
    command = Path(sys.executable).with_name("dasha")
    if not command.is_file():
        pytest.skip("the dasha command is not beside this Python: scripts/setup installs it")
    assert "main" in runpy.run_path(str(command), run_name="__mp_main__")


@pytest.mark.parametrize("command", ["fetch", "check"])
def test_an_unknown_set_of_assets_is_refused(command: str) -> None:
    result = run("assets", command, "--set", "photoes")
    assert result.exit_code == 2
    assert "no asset set photoes; the sets are: base" in result.output
