"""``dasha cache``: percepts of many views, computed once for training and evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dasha_ros.cli.terminal.console import Exit, err, fail, interrupted, out
from dasha_ros.files.naming import expanded

if TYPE_CHECKING:
    from dasha_ros.learning.dataset.cache.check import Error
    from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
    from dasha_ros.learning.dataset.scenes import SceneSet

app = typer.Typer(
    help="Percepts of many views, computed once for training and evaluation.", no_args_is_help=True
)

Cache = Annotated[
    Path | None,
    typer.Argument(help="Folder of a cache, or its name in the default place; default: the newest."),
]


@app.command()
def build(
    scenes: Annotated[
        str,
        typer.Argument(help="A scene set by name, its YAML file, or a folder of photographs."),
    ] = "training",
    *,
    path: Annotated[
        Path | None, typer.Option(help="Folder of the cache; default: one in the cache home.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Number of processes with one thread each.")] = 2,
    composites: Annotated[
        int, typer.Option(min=0, help="Number of two-depth views to compose from a folder's photographs.")
    ] = 0,
    split: Annotated[
        int | None,
        typer.Option(min=0, help="Only the four fifths that training on this split by photograph reads."),
    ] = None,
    disturbed: Annotated[
        int | None,
        typer.Option(min=0, max=10, help="Copies of each view under a random disturbance, to learn from."),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help="Only what learning with this preset reads; makes another cache."),
    ] = None,
    colour: Annotated[
        bool,
        typer.Option("--colour", help="What red and blue show, too; makes another cache."),
    ] = False,
) -> None:
    """Compute a cache, or its missing part. If it is killed, run it again to continue."""
    from dasha_ros.assets.catalogue import AssetMissing
    from dasha_ros.cli.terminal.progress import progress
    from dasha_ros.learning.dataset.cache.build import build_cache
    from dasha_ros.learning.dataset.cache.cell_content import ENCODERS, encoders_for
    from dasha_ros.learning.dataset.cache.store import CacheError
    from dasha_ros.learning.dataset.scenes import SceneSetError
    from dasha_ros.learning.dataset.scenes.summary import summary
    from dasha_ros.learning.training.presets import PresetError, load_preset
    from dasha_ros.perception.errors import ModelError
    from dasha_ros.twin.scene import SceneError

    console = err()
    try:
        chosen = load_preset(preset) if preset else None
        encoders = encoders_for(chosen.encoder) if chosen else ENCODERS
        colour = colour or bool(chosen and chosen.focus.colour)
        scene_set = _scene_set(scenes, composites)
        if disturbed is not None:
            scene_set = scene_set.model_copy(update={"disturbed": disturbed})
        with progress(console) as report:
            cache = build_cache(
                scene_set, path, workers, report, split=split, encoders=encoders, colour=colour
            )
    except (AssetMissing, SceneSetError, PresetError) as error:
        fail(str(error), Exit.REFUSED)
    except (CacheError, ModelError) as error:
        fail(str(error))
    except SceneError as error:
        fail(f"{error}; what is computed is kept: put the photograph back and run the same command again")
    except KeyboardInterrupt as reason:
        fail("interrupted; run the same command again to continue", interrupted(reason))
    used = len({photo for view in cache.views for photo in view.photographs})
    for line in summary(used, {**cache.meta.skipped, **scene_set.left_out}):
        console.print(line, style="yellow", soft_wrap=True)
    out().print(str(cache.path))


@app.command()
def info(cache: Cache = None) -> None:
    """Print what a cache contains."""
    opened = _opened(cache)
    planes = [view for view in opened.views if view.kind == "plane"]
    copies = sum(view.disturbance is not None for view in opened.views)
    size = sum(array.nbytes for array in opened.fields.values())
    grids = opened.meta.grids
    lines = [
        f"{opened.path}",
        f"scene set    {opened.meta.scene_set}, made by version {opened.meta.version}",
        f"views        {len(opened.views)}: {len(planes)} planes, {len(opened.views) - len(planes)} "
        f"composites, of {len({p for view in opened.views for p in view.photographs})} pictures "
        f"in {len({view.fold for view in opened.views})} folds; {copies} views are disturbed copies",
        f"labels       {', '.join(sorted({view.label for view in opened.views}))}",
        f"encoders     {', '.join(f'{field} = {name}' for field, name in opened.meta.encoders.items())}",
        f"detector     {opened.meta.detector}",
        f"colour       {'red and blue' if opened.has_colour else 'none'}",
        f"cells        {len(opened.fields['score'])}, {size / 1e6:.0f} MB",
        f"focus grid   {len(grids.focus.plane)} / {len(grids.focus.near)} defocus (planes / composites) "
        f"x {len(grids.focus.ev)} exposures x {grids.focus.draws} draws",
        f"light grid   {len(grids.light.plane)} / {len(grids.light.near)} defocus "
        f"x {len(grids.light.ev)} exposures x {grids.light.draws} draws",
        f"skipped      {len(opened.meta.skipped)} pictures",
    ]
    for line in lines:
        out().print(line)


@app.command()
def check(
    cache: Cache = None,
    points: Annotated[int, typer.Option(min=1, help="Renderings per regime, of four regimes.")] = 25,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the points.")] = 0,
) -> None:
    """Verify a cache, and print how far its values are from renderings of the whole chain."""
    from dasha_ros.assets.catalogue import AssetMissing
    from dasha_ros.cli.terminal.progress import progress
    from dasha_ros.learning.dataset.cache.check import check as measure
    from dasha_ros.learning.dataset.cache.check import is_foreign
    from dasha_ros.learning.dataset.cache.store import CacheError
    from dasha_ros.perception.errors import ModelError
    from dasha_ros.twin.scene import SceneError

    opened = _opened(cache)
    try:
        with progress(err()) as report:
            errors = measure(opened, points, seed, lambda done, total: report("renderings", done, total))
    except (AssetMissing, CacheError, ModelError, SceneError) as error:
        fail(str(error))
    _print_errors(errors)
    if is_foreign(errors):
        fail(
            f"the percept cache {opened.path} is another than this machine computes, even at its own cells: "
            "delete the folder and run `dasha cache build` again"
        )


def _scene_set(scenes: str, composites: int) -> SceneSet:
    from dasha_ros.learning.dataset.scenes import SceneSetError, folder_scene_set, load_scene_set

    folder = expanded(scenes, SceneSetError)
    return folder_scene_set(folder, composites) if folder.is_dir() else load_scene_set(scenes)


def _opened(path: Path | None) -> PerceptCache:
    from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
    from dasha_ros.learning.dataset.cache.places import found_cache
    from dasha_ros.learning.dataset.cache.store import CacheError

    try:
        return PerceptCache.open(found_cache(path))
    except CacheError as error:
        fail(str(error))


def _print_errors(errors: list[Error]) -> None:
    from rich.table import Table

    table = Table("regime", "quantity", box=None, header_style="dim")
    for heading in ("mean", "95 %", "noise alone"):
        table.add_column(heading, justify="right")
    for error in errors:
        table.add_row(
            error.regime, error.quantity, f"{error.mean:.4f}", f"{error.p95:.4f}", f"{error.noise_mean:.4f}"
        )
    out().print(table)
