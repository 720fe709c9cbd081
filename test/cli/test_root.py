"""What holds for every command: paths with ``~``, words of users on the screen, and the end by a signal."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from dasha_ros.cli import app as dasha
from dasha_ros.cli.terminal.console import err, out
from dasha_ros.cli.terminal.home import take_home
from dasha_ros.cli.terminal.root import Root
from dasha_ros.cli.train.progress import training_progress

app = typer.Typer(cls=Root)
below = typer.Typer()
app.add_typer(below, name="below")
got: dict[str, Any] = {}


@below.command()
def take(
    place: Path,
    *,
    one: Annotated[Path | None, typer.Option()] = None,
    more: Annotated[list[Path] | None, typer.Option()] = None,
    kept: Annotated[Path, typer.Option()] = Path("~/kept"),
    word: str = "",
) -> None:
    got.update(place=place, one=one, more=more, kept=kept, word=word)


take_home(app)


@below.command()
def killed(number: int) -> None:
    os.kill(os.getpid(), number)
    raise AssertionError("the signal had no effect")


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["below", *map(str, words)])


@pytest.fixture
def signals_end() -> Iterator[None]:
    """As in a terminal; these tests may run under ``nohup``. A command that does not heed a signal fails."""

    def unheeded(number: int, frame: object) -> None:
        raise AssertionError(f"nobody heeds signal {number}")

    before = {number: signal.signal(number, unheeded) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_every_path_may_begin_with_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    done = run("take", "~/a", "--one=~/b", "--more=~/c", "--more=d~", "--word=~/e")
    assert done.exit_code == 0, done.output
    home = {"place": tmp_path / "a", "one": tmp_path / "b", "more": [tmp_path / "c", Path("d~")]}
    assert got == {**home, "kept": Path("~/kept"), "word": "~/e"}
    nobody = run("take", "x", "--one=~no_such_user/b")
    assert nobody.exit_code == 2
    assert "there is no user" in nobody.output


def test_no_command_is_left_out() -> None:
    def callbacks(app: typer.Typer) -> Iterator[Any]:
        for group in app.registered_groups:
            assert group.typer_instance is not None
            yield from callbacks(group.typer_instance)
        yield from (command.callback for command in app.registered_commands)

    found = list(callbacks(dasha))
    assert len(found) > 40
    assert all(hasattr(each, "__wrapped__") for each in found)


@pytest.mark.usefixtures("signals_end")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_a_command_with_a_sentence_and_its_code(number: signal.Signals, code: int) -> None:
    before = signal.getsignal(number)
    done = run("killed", int(number))
    assert (done.exit_code, done.stderr) == (code, "error: interrupted before it was done\n")
    assert signal.getsignal(number) == before


@pytest.mark.usefixtures("signals_end")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_asks_a_training_to_stop(number: signal.Signals) -> None:
    with training_progress() as (_, signals):
        os.kill(os.getpid(), number)
        assert signals == [number]


def test_words_of_users_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    words = "my [final] run/x[/y] at :smile:"
    out().print(words)
    err().print(words)
    assert capsys.readouterr() == (f"{words}\n", f"{words}\n")


ASKING = """
import typer
from dasha_ros.cli.terminal.prompt import prompt
from dasha_ros.cli.terminal.root import Root

app = typer.Typer(cls=Root)

@app.command()
def ask():
    print("answered", prompt("which one"))

@app.command()
def other():
    pass

app(["ask"])
"""


@pytest.mark.parametrize(
    ("does", "code", "says"),
    [
        (signal.SIGTERM, 143, "interrupted before it was done"),
        (signal.SIGINT, 130, "interrupted before it was done"),
        (b"\x04", 1, "Aborted"),
        (b" two \n", 0, "answered two"),
    ],
    ids=["SIGTERM", "SIGINT", "end of the input", "answer"],
)
def test_a_question_ends_by_an_answer_or_with_the_reason(
    does: signal.Signals | bytes, code: int, says: str
) -> None:
    ours, theirs = pty.openpty()
    asking = subprocess.Popen([sys.executable, "-c", ASKING], stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = b""
    while b"which one" not in seen:
        seen += os.read(ours, 1000)
    if isinstance(does, bytes):
        os.write(ours, does)
    else:
        asking.send_signal(does)
    # At the end of the other side, Linux reports an error.
    with contextlib.suppress(OSError):
        while more := os.read(ours, 1000):
            seen += more
    os.close(ours)
    assert asking.wait() == code
    assert says in seen.decode()
