"""What ``dasha evaluate`` and ``dasha benchmark exposure`` share: options, the testbed and its output."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dasha_ros.cli.terminal.console import Exit, err, fail, interrupted, refused_or_failed
from dasha_ros.cli.terminal.given import given
from dasha_ros.cli.terminal.progress import Lines
from dasha_ros.files.naming import expanded

if TYPE_CHECKING:
    from dasha_ros.benchmark.testbed import Testbed
    from dasha_ros.benchmark.trials.journal import Journal

Policies = Annotated[
    list[str] | None,
    typer.Option("--policy", help="Name, or path of a learned policy (.npz); repeatable."),
]
Scenes = Annotated[Path | None, typer.Option(help="Folder of any photographs; rendered by the twin.")]
Cache = Annotated[
    Path | None,
    typer.Option(
        help="Percept cache, by folder or name; its test photographs are looked up, split by split."
    ),
]
Rendered = Annotated[bool, typer.Option("--rendered", help="With --cache: render the views instead.")]
Splits = Annotated[int, typer.Option(min=1, help="With --cache: number of splits by photograph.")]
Rivals = Annotated[
    Path | None,
    typer.Option(help="With --cache: folder of the rivals' trained networks."),
]
Episodes = Annotated[int, typer.Option(min=1, help="Episodes for each view, policy and setting.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of starts, composites and sampled actions.")]
Sampled = Annotated[bool, typer.Option("--sampled", help="Also play learned policies with sampled actions.")]
Markdown = Annotated[Path | None, typer.Option("--markdown", help="Write the tables to this file.")]
Plots = Annotated[Path | None, typer.Option("--plots", help="Write figures into this folder.")]
Rows = Annotated[
    Path | None,
    typer.Option(
        "--rows",
        help="Write a row for each episode to this file, with start, trajectory and end. If it exists, the "
        "episodes in it are not played again.",
    ),
]
StepMs = Annotated[
    float, typer.Option(min=0.0, max=1e6, help="Time to transport and read a frame in ms, for wall times.")
]


def refuse_twice(
    option: str, values: Sequence[str] | None, *, agent: Literal["exposure", "focus"] | None = None
) -> None:
    """Refuse a value that a repeatable option was given twice: its episodes would count twice.

    Args:
        option: As it is written.
        values: What it was given.
        agent: Whose policies the values are, which may be given by name and by file; ``None``: they are none.

    Raises:
        Exit: One was; the sentence is printed.
    """
    values = values or ()
    meant = [_file_of(value, agent) for value in values]
    for number, value in enumerate(values):
        if (before := meant.index(meant[number])) < number:
            other = "" if values[before] == value else f", the first time as {values[before]}"
            fail(f"{option} {value} is given twice{other}: its episodes would count twice", Exit.REFUSED)


def _file_of(value: str, agent: Literal["exposure", "focus"] | None) -> str:
    """The file that a value names, however it spells the path; a name of no file as it is."""
    if agent is not None:
        from dasha_ros.benchmark.methods import learned_file

        with errors_explained():
            if (policy := learned_file(value, agent)) is not None:
                return os.path.realpath(policy)
    is_path = value.endswith((".npz", ".yaml", ".yml"))
    return os.path.realpath(expanded(value, typer.BadParameter)) if is_path else value


def default_policies(agent: str) -> list[str]:
    """All shipped learned policies, and those worth a comparison."""
    from dasha_ros.system.paths import config_dir

    learned = sorted(
        path.stem.removesuffix(f"_{agent}") for path in (config_dir() / "policies").glob(f"*_{agent}.npz")
    )
    rivals = {
        "focus": ["coarse_to_fine", "constant", "profile_fit", "libcamera", "golden_section", "hill_climb"],
        "exposure": ["histogram", "auto_mean_grey", "auto_once", "constant"],
    }
    return learned + rivals[agent]


def testbed_of(
    scenes: Path | None,
    cache: Path | None,
    *,
    agent: Literal["focus", "exposure"],
    names: Sequence[str],
    rendered: bool,
    composites: int,
    splits: int,
    rivals: Path | None,
    seed: int,
    exposure: str | None,
) -> Testbed:
    """The photographs that the policies play on, read for them and for an A^H that plays before them."""
    from dasha_ros.benchmark.testbed import cache_testbed, folder_testbed, not_shown

    if (scenes is None) == (cache is None):
        fail("give either --scenes (a folder of photographs) or --cache (a percept cache)", Exit.REFUSED)
    if cache is not None:
        testbed = cache_testbed(
            cache, agent, names, splits=splits, rendered=rendered, rivals=rivals, exposure=exposure
        )
    else:
        assert scenes is not None
        with progress() as show:
            testbed = folder_testbed(
                scenes, agent, names, composites=composites, seed=seed, exposure=exposure,
                report=lambda what, done, total: show(done, total, what),
            )  # fmt: skip
    for sentence in not_shown(testbed, agent, names, exposure=exposure):
        err().print(sentence, style="yellow")
    return testbed


@contextmanager
def photographs_listed(testbed: Testbed) -> Iterator[None]:
    """At the end, list which pictures of a folder were used and which were skipped."""
    try:
        yield
    finally:
        if testbed.used:
            from dasha_ros.learning.dataset.scenes.summary import summary

            for line in summary(testbed.used, testbed.skipped):
                err().print(line)


@contextmanager
def errors_explained() -> Iterator[None]:
    """Turn errors into sentences."""
    from dasha_ros.assets.catalogue import AssetMissing
    from dasha_ros.devices.errors import DeviceError
    from dasha_ros.learning.dataset.cache.store import CacheError
    from dasha_ros.perception.errors import ModelError

    try:
        yield
    except (AssetMissing, CacheError, DeviceError, ModelError, ValueError) as error:
        # All other errors about names, files and values derive from ValueError.
        fail(str(error), refused_or_failed(error))


def listed(what: str, reasons: Mapping[str, str]) -> None:
    """Say what was left out, each with its own reason."""
    for name, why in reasons.items():
        err().print(f"{what}: {name}: {why}")


@contextmanager
def until_stopped(told: Callable[[], str]) -> Iterator[Callable[[], None]]:
    """Around work of which Ctrl-C leaves what is there.

    Args:
        told: What to print then: that it was stopped, and what is there.

    Yields:
        What ends the command with the code of the interruption, if there was one. Call it after all is
        written.
    """
    stop: KeyboardInterrupt | None = None

    def end() -> None:
        if stop is not None:
            raise typer.Exit(interrupted(stop))

    try:
        yield end
    except KeyboardInterrupt as reason:
        stop = reason
        err().print(told(), style="yellow")


def stopped(journal: Journal, file: Path | None) -> str:
    """That Ctrl-C ended the evaluation, and how to go on."""
    again = f"; the same command with --rows {quote(str(file))} goes on" if file else ""
    return f"stopped after {len(journal.played)} episodes{again}"


def resumed(journal: Journal, file: Path | None) -> None:
    """Say how many episodes were not played, because their rows were there."""
    if journal.resumed:
        err().print(f"{journal.resumed} of {len(journal.played)} episodes came from {file}")


def refuse_inapplicable(context: typer.Context, where: str, applies: Mapping[str, Sequence[str]]) -> None:
    """End the command if an option was given that means nothing here.

    Args:
        context: Of the command.
        where: The option that says where policies play, such as ``--stacks``.
        applies: Parameters that do not apply everywhere, by name, and the options with which they do.
    """
    for name, options in applies.items():
        if where not in options and (option := given(context, name)):
            fail(f"{option} does not apply to {where}, only to {' and '.join(options)}", Exit.REFUSED)


def refuse_unused(context: typer.Context, used: Mapping[str, bool], settings: Sequence[str]) -> None:
    """End the command if an option was given that none of the settings uses.

    Args:
        context: Of the command.
        used: Parameters by name, and whether a setting uses them.
        settings: Names of the settings.
    """
    for name, is_used in used.items():
        if not is_used and (option := given(context, name)):
            fail(f"{option} does not apply to the settings {', '.join(settings)}", Exit.REFUSED)


@contextmanager
def progress() -> Iterator[Callable[[int, int, str], None]]:
    """Show how far it is: a bar on a terminal, a line now and then elsewhere.

    Yields:
        A function that takes what is done, the total and a description.
    """
    if not err().is_terminal:
        lines = Lines(lambda line: err().print(line))
        # The part before the colon is what is counted: a line for each policy would be too many.
        yield lambda done, total, what: lines(what.partition(":")[0], done, total)
        return
    from dasha_ros.benchmark import focus

    bar = focus.progress(err())
    task = bar.add_task("", total=None)

    def show(done: int, total: int, what: str) -> None:
        # Started late, so that an argument that is refused at once leaves no bar behind.
        bar.start()
        bar.update(task, completed=done, total=total, description=what)

    try:
        yield show
    finally:
        if bar.live.is_started:
            bar.stop()
