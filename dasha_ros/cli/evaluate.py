"""``dasha evaluate``, ``dasha benchmark exposure``: policies compared on photographs they never saw."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from dasha_ros.cli.terminal.console import Exit, err, fail, out

if TYPE_CHECKING:
    from dasha_ros.benchmark.testbed import Testbed

Policies = Annotated[
    list[str] | None,
    typer.Option("--policy", help="Name, or path of a learned policy (.npz); may be repeated."),
]
Scenes = Annotated[
    Path | None, typer.Option(help="Folder of photographs that nobody prepared; rendered by the twin.")
]
Cache = Annotated[
    Path | None, typer.Option(help="Percept cache: its test photographs, split by split, looked up.")
]
Rendered = Annotated[bool, typer.Option("--rendered", help="With --cache: render its views instead.")]
Splits = Annotated[int, typer.Option(min=1, help="With --cache: how many splits by photograph.")]
Rivals = Annotated[
    Path | None,
    typer.Option(help="With --cache: folder of the rivals' trained networks."),
]
Episodes = Annotated[int, typer.Option(min=1, help="For each view, policy and setting.")]
Seed = Annotated[int, typer.Option(min=0, help="Of starts, composites and sampled actions.")]
Sampled = Annotated[bool, typer.Option("--sampled", help="Learned policies also draw their actions.")]
Json = Annotated[Path | None, typer.Option("--json", help="Write the rows to this file.")]
Markdown = Annotated[Path | None, typer.Option("--markdown", help="Write the tables to this file.")]
Plots = Annotated[Path | None, typer.Option("--plots", help="Write figures into this folder.")]
StepMs = Annotated[
    float, typer.Option(min=0.0, help="Transport and reading of a frame, for wall times, in ms.")
]


def evaluate(
    *,
    policy: Policies = None,
    scenes: Scenes = None,
    cache: Cache = None,
    rendered: Rendered = False,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            help="planes_paper, planes_drift, planes_wide, two_depths, joint or joint_no_handover; "
            "may be repeated."
        ),
    ] = None,
    composites: Annotated[
        int, typer.Option(min=0, help="With --scenes: two-depth views to make of the photographs.")
    ] = 4,
    splits: Splits = 3,
    rivals: Rivals = None,
    episodes: Episodes = 4,
    seed: Seed = 0,
    sampled: Sampled = False,
    exposure_policy: Annotated[str, typer.Option(help="A^H of the setting joint.")] = "histogram",
    step_ms: StepMs = 60.0,
    json_file: Json = None,
    markdown_file: Markdown = None,
    plots: Plots = None,
) -> None:
    """Play focus policies and their rivals on photographs they never saw, and print the table."""
    from dasha_ros.benchmark.plots import plot
    from dasha_ros.benchmark.study import focus_study, tables
    from dasha_ros.learning.evaluation.settings import FOCUS_SETTINGS, focus_setting

    _check_writable(json_file, markdown_file)
    with _sentences():
        chosen = [focus_setting(name) for name in setting] if setting else list(FOCUS_SETTINGS)
        names = policy or _default_policies("focus")
        testbed = _testbed(
            scenes, cache, agent="focus", names=names, rendered=rendered, composites=composites,
            splits=splits, rivals=rivals, seed=seed,
        )  # fmt: skip
        if scenes and not setting:
            # The paper's bands are one voltage wide: nobody learns anything about photographs from them.
            chosen = [s for s in chosen if s.name in {"planes_wide", "two_depths"}]
        rows: list[dict[str, Any]] = []
        with _told(testbed), _progress() as progress:
            try:
                focus_study(
                    testbed.arena, names, chosen, testbed.parts, per_view=episodes, seed=seed,
                    sampled=(False, True) if sampled else (False,), step_ms=step_ms, progress=progress,
                    exposure_policy=exposure_policy, keep=rows.append,
                )  # fmt: skip
            except KeyboardInterrupt:
                err().print("[yellow]stopped: the tables hold what was complete")
        text = tables(rows)
        out().print(text, markup=False)
        _write(json_file, _lines(rows))
        _write(markdown_file, text)
        if plots is not None and rows:
            for path in plot(rows, plots):
                err().print(f"wrote {path}", markup=False)


def exposure(
    *,
    policy: Policies = None,
    scenes: Scenes = None,
    cache: Cache = None,
    rendered: Rendered = False,
    splits: Splits = 3,
    episodes: Episodes = 10,
    seed: Seed = 0,
    sampled: Sampled = False,
    step_ms: StepMs = 60.0,
    json_file: Json = None,
    markdown_file: Markdown = None,
) -> None:
    """Play exposure policies and auto exposure over 13 to 300 lx, from any exposure and any defocus."""
    from dasha_ros.benchmark.study import exposure_study, tables

    _check_writable(json_file, markdown_file)
    with _sentences():
        names = policy or _default_policies("exposure")
        testbed = _testbed(
            scenes, cache, agent="exposure", names=names, rendered=rendered, composites=0, splits=splits,
            rivals=None, seed=seed,
        )  # fmt: skip
        with _told(testbed), _progress() as progress:
            rows = exposure_study(
                testbed.arena, names, testbed.parts, per_view=episodes, seed=seed,
                sampled=(False, True) if sampled else (False,), step_ms=step_ms, progress=progress,
            )  # fmt: skip
        text = tables(rows)
        out().print(text, markup=False)
        _write(json_file, _lines(rows))
        _write(markdown_file, text)


def _default_policies(agent: str) -> list[str]:
    """Every learned policy that ships, and those worth comparing with."""
    from dasha_ros.system.paths import config_dir

    learned = sorted(
        path.stem.removesuffix(f"_{agent}") for path in (config_dir() / "policies").glob(f"*_{agent}.npz")
    )
    rivals = {
        "focus": ["coarse_to_fine", "constant", "profile_fit", "libcamera", "golden_section", "hill_climb"],
        "exposure": ["histogram", "auto_mean_grey", "auto_once", "constant"],
    }
    return learned + rivals[agent]


def _testbed(
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
) -> Testbed:
    from dasha_ros.benchmark.testbed import cache_testbed, folder_testbed

    if (scenes is None) == (cache is None):
        fail("give either --scenes (a folder of photographs) or --cache (a percept cache)", Exit.REFUSED)
    if cache is not None:
        return cache_testbed(cache, agent, names, splits=splits, rendered=rendered, rivals=rivals)
    assert scenes is not None
    with _progress() as progress:
        testbed = folder_testbed(
            scenes, agent, names, composites=composites, seed=seed,
            report=lambda what, done, total: progress(done, total, what),
        )  # fmt: skip
    return testbed


@contextmanager
def _told(testbed: Testbed) -> Iterator[None]:
    """At the end, however it comes, which pictures of a folder were used and which were not."""
    try:
        yield
    finally:
        if testbed.used:
            from dasha_ros.learning.dataset.scenes.summary import summary

            for line in summary(testbed.used, testbed.skipped):
                err().print(line, markup=False)


@contextmanager
def _sentences() -> Iterator[None]:
    """Errors that are for people are said in a sentence."""
    from dasha_ros.assets.catalogue import AssetMissing
    from dasha_ros.devices.errors import DeviceError
    from dasha_ros.learning.dataset.cache.store import CacheError
    from dasha_ros.perception.errors import ModelError

    try:
        yield
    except (AssetMissing, CacheError, DeviceError, ModelError, ValueError) as error:
        # Whatever else refuses a name, a file or a value here derives from ValueError.
        fail(str(error), Exit.REFUSED)


@contextmanager
def _progress() -> Iterator[Callable[[int, int, str], None]]:
    from dasha_ros.benchmark.focus import progress

    bar = progress(err())
    task = bar.add_task("", total=None)

    def show(done: int, total: int, what: str) -> None:
        # Not before there is something to show: what is refused at once has no bar that must end.
        bar.start()
        bar.update(task, completed=done, total=total, description=what)

    try:
        yield show
    finally:
        if bar.live.is_started:
            bar.stop()


def _lines(rows: Sequence[dict[str, Any]]) -> str:
    """JSON with one row a line: a changed number changes one line."""
    return "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n"


def _check_writable(*paths: Path | None) -> None:
    """Refuse before minutes of work, not after."""
    for path in paths:
        if path is not None and not path.absolute().parent.is_dir():
            fail(f"{path} can't be written: there is no folder {path.absolute().parent}", Exit.REFUSED)


def _write(path: Path | None, text: str) -> None:
    if path is None:
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{path} can't be written: {error.strerror}")
