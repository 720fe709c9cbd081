"""An output that can't be written gives one sentence, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dasha_ros.system.streams import output_told

DASHA = (sys.executable, "-m", "dasha_ros.cli")
COMMANDS = [("config",), ("version",), ("--help",), ("benchmark", "--help")]
SPEAKS = """
from dasha_ros.system.streams import output_told, take_every_character
take_every_character()
with output_told():
    from dasha_ros.cli.terminal.console import err, out
    out().print("25 °C")
    err().print("λ")
    print("→")
"""


def _run(*command: str, stdout: int, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_full_disk_is_reported_in_one_sentence(command: tuple[str, ...]) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        ended = _run(*DASHA, *command, stdout=full)
    finally:
        os.close(full)
    assert ended.returncode == 1
    assert ended.stderr == "error: the output could not be written: no space left on device\n"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_closed_pipe_is_reported_in_one_sentence(command: tuple[str, ...]) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    try:
        ended = _run(*DASHA, *command, stdout=writes)
    finally:
        os.close(writes)
    assert ended.returncode == 1
    assert ended.stderr == "error: the output could not be written: the reader has closed it\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_every_character_can_be_written(encoding: str) -> None:
    ended = _run(sys.executable, "-c", SPEAKS, stdout=subprocess.DEVNULL, PYTHONIOENCODING=encoding)
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False), ended.stderr


def test_an_output_closed_before_the_start_is_not_an_error() -> None:
    code = "import os; os.close(1); os.execv({0!r}, [{0!r}, '-m', 'dasha_ros.cli', 'config'])"
    ended = _run(sys.executable, "-c", code.format(sys.executable), stdout=subprocess.DEVNULL)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_another_full_disk_is_not_blamed_on_the_output() -> None:
    with pytest.raises(OSError, match="No space left"), output_told(), open("/dev/full", "w") as file:
        file.write("a checkpoint")


def test_other_exit_codes_stay() -> None:
    with pytest.raises(SystemExit) as ended, output_told():
        raise SystemExit(3)
    assert ended.value.code == 3
