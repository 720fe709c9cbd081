"""How ``dasha evaluate`` and benchmarks end when they are interrupted, or when the disk is full."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from analytic_cache import analytic_cache
from click.testing import Result
from small_disk import files_of_at_most
from stack_maker import twin_stack
from typer.testing import CliRunner

from dasha_ros.benchmark import evaluation, focus
from dasha_ros.benchmark.trials import stacks
from dasha_ros.cli import app


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return twin_stack(tmp_path_factory.mktemp("stacks") / "motorcycle", frames=5, blur_px_per_frame=3.0)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache") / "c"
    analytic_cache(folder)
    return folder


def interrupt_after(monkeypatch: pytest.MonkeyPatch, module: object, count: int) -> None:
    """Let Ctrl-C be pressed in the episode after so many."""
    real, played = module.play_focus, []  # type: ignore[attr-defined]

    def play(*args: object, **options: object) -> object:
        if len(played) == count:
            raise KeyboardInterrupt
        played.append(1)
        return real(*args, **options)

    monkeypatch.setattr(module, "play_focus", play)


@pytest.mark.parametrize("count", [0, 3])
def test_interrupted_stacks_are_written_and_told_by_the_exit_code(
    stack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    interrupt_after(monkeypatch, stacks, count)
    done = run("evaluate", "--stacks", stack, "--policy", "constant:4", "--json", tmp_path / "sums.json")
    assert done.exit_code == 130, done.output
    assert f"stopped after {count} episodes" in done.stderr
    assert (tmp_path / "sums.json").exists() == bool(count)
    if count:
        assert json.loads((tmp_path / "sums.json").read_text())[0]["episodes"] == count


@pytest.mark.parametrize(
    "command", [("evaluate", "--setting", "planes_wide"), ("benchmark", "stress", "--stress", "base")]
)
def test_interrupted_photographs_are_told_by_the_exit_code(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    interrupt_after(monkeypatch, evaluation, 0)
    files = "--json", tmp_path / "sums.json", "--rows", tmp_path / "rows.jsonl"
    done = run(*command, "--cache", cache, "--policy", "libcamera", *files)
    assert done.exit_code == 130, done.output
    assert "stopped after 0 episodes; the same command with --rows" in done.stderr
    assert (tmp_path / "sums.json").exists()


def test_an_interrupted_benchmark_of_the_twin_is_told_by_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_once(*_args: object, **_options: object) -> object:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(focus, "episodes", at_once)
    done = run(
        "benchmark", "focus", "--policy", "constant:4", "--scene", "cup", "--json", tmp_path / "a.json"
    )
    assert done.exit_code == 130, done.output
    assert "stopped: the table holds the 0 episodes" in done.stderr
    assert (tmp_path / "a.json").exists()


@pytest.mark.parametrize(
    "options",
    [("--rows", "x", "--json", "./x"), ("--json", "x", "--markdown", "x"), ("--rows", "x", "--page", "x")],
)
def test_two_results_in_one_file_are_refused(
    stack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("evaluate", "--stacks", stack, "--policy", "constant:4", *options)
    assert done.exit_code == 2, done.output
    assert "x is asked for twice: give each of the command's files a name of its own" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_a_failure_and_not_a_refusal(stack: Path, tmp_path: Path) -> None:
    command = "evaluate", "--stacks", stack, "--policy", "constant:4", "--rows", tmp_path / "rows.jsonl"
    with files_of_at_most(100):
        done = run(*command)
    assert done.exit_code == 1, done.output
    assert "rows.jsonl can't be written: File too large" in done.stderr
    assert run(*command).exit_code == 0
