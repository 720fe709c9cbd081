"""A process that leaves ends with the right code, whatever still runs in it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import atexit, sys, threading
from dasha_ros.system.leaving import leave
threading.Thread(target=threading.Event().wait).start()  # Python would wait for it forever.
atexit.register(print, "exit functions", "ran", file=sys.stdout)
print("before", end=" ")
try:
    {end}
except BaseException as error:
    leave(error)
leave()
"""


@pytest.mark.parametrize(
    ("end", "code", "words"),
    [
        ("pass", 0, ""),
        ("sys.exit()", 0, ""),
        ("sys.exit(7)", 7, ""),
        ("sys.exit(True)", 1, ""),
        ("sys.exit('no such lens')", 1, "no such lens\n"),
        ("raise ValueError('a bug')", 1, "ValueError: a bug\n"),
    ],
)
def test_it_ends_as_python_would_and_does_not_wait(end: str, code: int, words: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(end=end)],
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert ended.returncode == code
    assert ended.stderr.endswith(words)
    assert words or not ended.stderr
    assert ("Traceback" in ended.stderr) == ("a bug" in words)
    assert ended.stdout == "before exit functions ran\n"


def test_a_closed_output_does_not_change_its_end() -> None:
    program = "import sys\nfrom dasha_ros.system.leaving import leave\nprint('lost')\nleave(SystemExit(3))"
    buffered = {**os.environ, "PYTHONUNBUFFERED": ""}
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=buffered) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(90) == 3
