"""A failed test is excused only by a process that said that its middleware had stopped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from middleware_stops import REASON, SENTENCE, excuse, waits

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
    assert excuse(outputs) == (REASON + STOPPED if excused else "")


def test_it_is_told_and_hides_no_other_failure(tmp_path: Path) -> None:
    example = tmp_path / "test_example.py"
    example.write_text(f"STOPPED = {STOPPED!r}\n{EXAMPLE}")
    command = [sys.executable, "-m", "pytest", "-rxfp", "-p", "conftest", "--rootdir", str(tmp_path)]
    said = subprocess.run(
        [*command, example.name],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    assert "1 failed, 1 passed, 1 xfailed" in said, said
    assert f"XFAIL test_example.py::test_stopped - {REASON}{STOPPED}" in said
    assert "FAILED test_example.py::test_ended" in said
    assert "PASSED test_example.py::test_a_stop_that_nobody_needs" in said


def test_one_sees_what_the_threads_of_a_process_wait_for() -> None:
    assert len(waits(os.getpid()).splitlines()) >= 1
    assert all(": " in line for line in waits(os.getpid()).splitlines())
    assert waits(2**30) == ""
