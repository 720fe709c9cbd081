"""``dasha benchmark``: numbers, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from dasha_ros.cli.terminal.console import Exit, err, fail, out

app = typer.Typer(help="Measure, and print a table or write JSON.", no_args_is_help=True)

POLICIES = ("coarse_to_fine", "contrast")
"""What is compared when nothing is asked for: the shipped policy and the usual autofocus."""

RIG_SCENES = ("motorcycle_street", "cup_street")
"""Near and far objects."""

Json = Annotated[Path | None, typer.Option("--json", help="Also write the numbers to this file.")]


@app.command()
def focus(
    *,
    policy: Annotated[list[str] | None, typer.Option(help="Policy of A^L; may be repeated.")] = None,
    scene: Annotated[
        list[str] | None, typer.Option(help="Name or path; may be repeated; none: all that ship.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Episodes for each label of each scene.")] = 20,
    over_ros: Annotated[
        bool, typer.Option("--over-ros", help="Goals of the real graph, in real time, one policy.")
    ] = False,
    rig: Annotated[str, typer.Option(help="With --over-ros: twin or emulated.")] = "twin",
    json_file: Json = None,
) -> None:
    """Play focus goals in the twin, policy against policy: how sure, how sharp, how many steps."""
    from dasha_ros.assets.catalogue import AssetMissing
    from dasha_ros.benchmark.focus import benchmark_focus
    from dasha_ros.benchmark.table import markdown
    from dasha_ros.devices.errors import DeviceError
    from dasha_ros.perception.errors import ModelError
    from dasha_ros.policies.registry import UnknownPolicyError
    from dasha_ros.twin.scene import SceneError

    _check_writable(json_file)
    if over_ros:
        rows = _focus_over_ros(policy or [None], scene or (), seeds, rig)
        out().print(markdown(rows), markup=False)
        _write(json_file, rows)
        return
    try:
        rows = benchmark_focus(policy or POLICIES, scene or (), seeds, console=err())
    except (UnknownPolicyError, SceneError, AssetMissing, DeviceError, ModelError) as error:
        fail(str(error), Exit.REFUSED)
    out().print(markdown(rows), markup=False)
    _write(json_file, rows)


def _focus_over_ros(
    policies: Sequence[str | None], scenes: Sequence[str], seeds: int, rig: str
) -> list[dict[str, Any]]:
    from dasha_ros.assets.catalogue import AssetMissing
    from dasha_ros.benchmark.episodes import goals_of
    from dasha_ros.benchmark.focus import progress, table
    from dasha_ros.bringup.lock import GraphRunsAlreadyError
    from dasha_ros.cli.benchmark.graph import GraphError, episodes_over_ros
    from dasha_ros.client import FocusError
    from dasha_ros.config import ConfigError
    from dasha_ros.twin.scene import SceneError, scene_names

    done = []
    try:
        goals = goals_of(tuple(scenes) or scene_names())
        with progress(err()) as bar:
            task = bar.add_task("", total=len(goals) * seeds * len(policies))
            for policy in policies:
                for episode in episodes_over_ros(goals, range(seeds), rig=rig, focus_policy=policy):
                    done.append(episode)
                    bar.update(task, advance=1, description=str(episode.goal))
    except KeyboardInterrupt:
        err().print(f"stopped: the table holds the {len(done)} episodes done so far", style="yellow")
    except (GraphError, GraphRunsAlreadyError, FocusError, ConfigError) as error:
        fail(str(error))
    except (SceneError, AssetMissing) as error:
        fail(str(error), Exit.REFUSED)
    return table(done)


@app.command()
def step(
    steps: Annotated[int, typer.Option(min=10, help="Steps that are timed.")] = 100,
    json_file: Json = None,
) -> None:
    """Time one closed-loop step over the graph, against the same step in one process."""
    from dasha_ros.assets.catalogue import AssetMissing
    from dasha_ros.bringup.lock import GraphRunsAlreadyError
    from dasha_ros.cli.benchmark.step import StepError, step_over_ros
    from dasha_ros.config import ConfigError
    from dasha_ros.perception.errors import ModelError

    _check_writable(json_file)
    try:
        numbers = step_over_ros(steps)
    except (StepError, GraphRunsAlreadyError, ConfigError, AssetMissing, ModelError) as error:
        fail(str(error))
    for key, value in numbers.items():
        out().print(f"{key:24} {value}", markup=False, highlight=False)
    _write(json_file, numbers)


@app.command()
def rig(
    scene: Annotated[
        list[str] | None, typer.Option(help="Of the goals, by name or path; may be repeated.")
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=0, help="Goals for each label of each scene, on both rigs; 0: none.")
    ] = 2,
    count: Annotated[int, typer.Option(min=10, help="Pictures and lens commands that are timed.")] = 200,
    preview_seconds: Annotated[float, typer.Option(min=2.0, help="How long the preview is watched.")] = 20.0,
    json_file: Json = None,
) -> None:
    """Time the real drivers on emulated devices: pictures, preview, lens; goals against the twin.

    Ends with a table of what the emulated rig must reach.
    """
    from dasha_ros.assets.catalogue import AssetMissing
    from dasha_ros.benchmark.rig_targets import markdown, targets
    from dasha_ros.bringup.lock import GraphRunsAlreadyError
    from dasha_ros.cli.benchmark.graph import GraphError
    from dasha_ros.cli.benchmark.rig import benchmark_rig
    from dasha_ros.client import FocusError
    from dasha_ros.config import ConfigError
    from dasha_ros.twin.scene import SceneError

    _check_writable(json_file)
    console = err()
    try:
        numbers = benchmark_rig(
            scene or RIG_SCENES,
            seeds,
            count=count,
            preview_s=preview_seconds,
            progress=lambda what: console.print(f"{what} ...", style="dim"),
        )
    except (GraphError, GraphRunsAlreadyError, FocusError, ConfigError) as error:
        fail(str(error))
    except (SceneError, AssetMissing) as error:
        fail(str(error), Exit.REFUSED)
    for part, values in numbers.items():
        for key, value in values.items() if isinstance(values, dict) else [("", values)]:
            if key == "episodes":
                continue  # in the JSON
            out().print(f"{f'{part} {key}':34} {value}", markup=False, highlight=False)
    reached = targets(numbers)
    out().print(f"\n{markdown(reached)}", markup=False, highlight=False, soft_wrap=True)
    _write(json_file, {**numbers, "targets": [asdict(target) for target in reached]})


def _check_writable(path: Path | None) -> None:
    """Refuse before minutes of work, not after."""
    if path is not None and not path.absolute().parent.is_dir():
        fail(f"{path} can't be written: there is no folder {path.absolute().parent}", Exit.REFUSED)


def _write(path: Path | None, numbers: Any) -> None:
    if path is None:
        return
    try:
        path.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        fail(f"{path} can't be written: {error.strerror}")
