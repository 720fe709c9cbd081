"""``dasha train ship``: the policy of A^L that ships, from a percept cache, by one command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from dasha_ros.cli.evaluation import shared
from dasha_ros.cli.terminal.console import Exit, err, fail, interrupted, out, signalled
from dasha_ros.cli.train.progress import training_progress
from dasha_ros.cli.train.runs import errors_explained

if TYPE_CHECKING:
    from dasha_ros.benchmark.shipping.choice import Candidate
    from dasha_ros.benchmark.shipping.series import Series
    from dasha_ros.devices.stack.description import Stack
    from dasha_ros.learning.evaluation.settings import FocusSetting


def ship(
    *,
    preset: Annotated[str, typer.Option(help="Preset by name, or its YAML file.")] = "plus",
    cache: Annotated[
        Path | None,
        typer.Option(help="Folder of the whole percept cache, or its name; default: the newest."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--out", help="Folder of runs and results; default: runs/ship_PRESET."),
    ] = None,
    seed: Annotated[
        list[int] | None,
        typer.Option(min=0, max=2**32 - 1, help="Seed of a run; repeatable; default: 0, 1 and 2."),
    ] = None,
    split: Annotated[
        list[int] | None,
        typer.Option(min=0, help="Split by photograph; repeatable. A run of the first ships; default: 0."),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps of each training; default: the preset's.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the policy that ships; default: the preset's.")] = "",
    setting: Annotated[
        list[str] | None,
        typer.Option(help="Played on test photographs; repeatable; default: all of dasha evaluate."),
    ] = None,
    stacks: Annotated[
        Path | None,
        typer.Option(help="Folder of real focal stacks: only a run that is good enough on them, too, ships."),
    ] = None,
    episodes: shared.Episodes = 6,
    sampled: shared.Sampled = False,
    repository: Annotated[
        Path | None,
        typer.Option(help="Also write policy, card and results where this checkout of dasha_ros keeps them."),
    ] = None,
) -> None:
    """Train A^L with several seeds, choose one on validation, play the test once, and write its card.

    The same command goes on where it was interrupted.
    """
    with errors_explained(), shared.errors_explained():
        from dasha_ros.benchmark.shipping.series import Series
        from dasha_ros.benchmark.shipping.ship import numbers_of
        from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
        from dasha_ros.learning.dataset.cache.places import found_cache
        from dasha_ros.learning.evaluation.settings import USUAL_SETTINGS, focus_setting, not_played
        from dasha_ros.learning.evaluation.stacks import stacks_in
        from dasha_ros.learning.training.presets import load_preset

        if name and not name.isidentifier():
            fail(f"--name {name!r}: give letters, digits and underscores, as in plus", Exit.REFUSED)
        if repository is not None and not (repository / "config" / "policies").is_dir():
            fail(f"{repository} is no checkout of dasha_ros: it has no folder config/policies", Exit.REFUSED)
        judges, skipped = stacks_in(stacks) if stacks is not None else ([], {})
        shared.listed("skipped", skipped)
        settings = [focus_setting(name) for name in setting] if setting else list(USUAL_SETTINGS)
        loaded = load_preset(preset)
        series = Series(
            folder or Path("runs") / f"ship_{loaded.name}",
            loaded,
            PerceptCache.open(found_cache(cache)),
            tuple(dict.fromkeys(seed or (0, 1, 2))),
            tuple(dict.fromkeys(split or (0,))),
            steps,
            name,
        )
        tested = [view for number in series.splits for view in numbers_of(series, number, "test")]
        left_out = not_played(settings, series.cache.views, tested)
        if setting and left_out:
            first, why = next(iter(left_out.items()))
            fail(f"--setting {first}: {why}", Exit.REFUSED)
        shared.listed("not played", left_out)
        series.begin()
        try:
            _train(series)
            _play_and_write(
                series, settings, judges, episodes=episodes, sampled=sampled, repository=repository
            )
        except KeyboardInterrupt as reason:
            _stopped(series, interrupted(reason))


def _train(series: Series) -> None:
    err().print(f"{len(series.seeds) * len(series.splits)} runs below {series.folder}")
    with training_progress() as (report_of, signals):
        finished = series.train(report_of, lambda: bool(signals))
    if not finished:
        _stopped(series, signalled(signals))


def _play_and_write(
    series: Series,
    settings: list[FocusSetting],
    stacks: list[Stack],
    *,
    episodes: int,
    sampled: bool,
    repository: Path | None,
) -> None:
    from dasha_ros.benchmark.shipping.ship import Places, on_test, on_validation, ranked, write_policy
    from dasha_ros.benchmark.study import tables

    with shared.progress() as progress:
        validation = on_validation(series, progress)
    order = ranked(series, validation)
    for one in order:
        err().print(f"split {one.split}, seed {one.seed}: merit on validation {one.merit:.4f}")
    limits: list[str] = []
    if stacks:
        order, limits = _allowed(series, order, stacks)
    with shared.progress() as progress:
        test = on_test(series, settings, episodes=episodes, sampled=sampled, progress=progress)
    out().print(tables(test))
    places = [Places.within(series.folder)]
    places += [Places.of_repository(repository)] if repository is not None else []
    for place in places:
        out().print(str(write_policy(series, order, validation, test, place, limits=limits)))


def _allowed(
    series: Series, order: list[Candidate], stacks: list[Stack]
) -> tuple[list[Candidate], list[str]]:
    """The runs that may ship by real pictures, and what the card says of it."""
    from dasha_ros.benchmark.shipping.real_pictures import allowed, on_stacks, said
    from dasha_ros.benchmark.trials.stacks import StackStudy

    study = StackStudy()
    with shared.progress() as progress:
        rows = on_stacks(series, stacks, study, progress)
    shared.listed("skipped", study.skipped)
    reached = f"on real focal stacks, within 2 px, and found farther away: {said(order, rows)}"
    err().print(reached)
    left = allowed(order, rows)
    kept = ", ".join(str(one.seed) for one in left)
    return left, [f"Runs of the same series {reached}. Only the runs of seed {kept} may ship by that."]


def _stopped(series: Series, code: Exit) -> NoReturn:
    fail(f"stopped; the same command goes on in {series.folder}", code)
