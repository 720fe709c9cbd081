"""A failed test is excused only by a process that said that its middleware had stopped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from middleware_stops import MOST, REASON, SENTENCE, excuse, waits
from ros_harness import PATIENCE_S

TESTS = Path(__file__).parents[2]
STOPPED = f"perception ends: {SENTENCE}, so it hears nothing"
EXAMPLE = """
import sys

def run(spawn, words):
    child = spawn(sys.executable, "-c", f"print({words!r}); raise SystemExit(75)")
    child.wait_for_output("ready")

def test_stopped(spawn):
    run(spawn, STOPPED)

def test_ended(spawn):
    run(spawn, "try again")

def test_a_stop_that_nobody_needs(spawn):
    spawn(sys.executable, "-c", f"print({STOPPED!r})").wait_for_output("stopped")
"""


@pytest.mark.parametrize(
    ("outputs", "excused"),
    [([], False), (["Traceback", "try again"], False), (["ready", f"stacks\n{STOPPED}"], True)],
)
def test_only_the_watchs_own_sentence_is_an_excuse(outputs: list[str], excused: bool) -> None:
    assert excuse(enumerate(outputs)) == (f"{REASON}process 1: {STOPPED}" if excused else "")


def example(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """A run of pytest, with the fixtures and hooks of these tests."""
    (folder / "test_example.py").write_text(f"STOPPED = {STOPPED!r}\n{text}")
    command = [sys.executable, "-m", "pytest", "-rxfp", "-p", "conftest", "--rootdir", str(folder)]
    return subprocess.run(
        [*command, "test_example.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


@pytest.mark.parametrize(("stops", "code"), [(MOST, 0), (MOST + 1, 1)])
def test_a_run_with_more_stops_than_happen_by_themselves_fails(tmp_path: Path, stops: int, code: int) -> None:
    text = f"""
import sys
import pytest

@pytest.mark.parametrize("number", range({stops}))
def test_stopped(spawn, number):
    spawn(sys.executable, "-c", f"print({{STOPPED!r}})").wait_for_output("ready")
"""
    done = example(tmp_path, text)
    assert f"{stops} xfailed" in done.stdout, done.stdout
    assert done.returncode == code


def test_it_is_told_and_hides_no_other_failure(tmp_path: Path) -> None:
    said = example(tmp_path, EXAMPLE).stdout
    assert "1 failed, 1 passed, 1 xfailed" in said, said
    assert f"XFAIL test_example.py::test_stopped - {REASON}process " in said
    assert STOPPED in said
    assert "FAILED test_example.py::test_ended" in said
    assert "PASSED test_example.py::test_a_stop_that_nobody_needs" in said


def test_one_sees_what_the_threads_of_a_process_wait_for() -> None:
    assert len(waits(os.getpid()).splitlines()) >= 1
    assert all(": " in line for line in waits(os.getpid()).splitlines())
    assert waits(2**30) == ""
