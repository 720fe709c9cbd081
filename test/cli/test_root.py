"""What holds for every command: paths with ``~``, words of users on the screen, and the end by a signal."""

from __future__ import annotations

import os
import signal
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
    """As in a terminal; these tests may run under ``nohup``."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


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
