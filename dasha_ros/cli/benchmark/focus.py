"""``dasha benchmark focus``: focus policies compared in the twin, or over the graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from dasha_ros.cli.evaluation.shared import refuse_twice
from dasha_ros.cli.terminal.console import Exit, err, fail, interrupted, out
from dasha_ros.cli.terminal.files import Json, refuse_unwritable, write_json
from dasha_ros.cli.terminal.given import refuse_given

POLICIES = ("coarse_to_fine", "contrast")
"""The default comparison: the shipped policy and the usual autofocus."""


def focus(
    context: typer.Context,
    *,
    policy: Annotated[list[str] | None, typer.Option(help="Policy of A^L; repeatable.")] = None,
    scene: Annotated[
        list[str] | None, typer.Option(help="Name or path; repeatable; default: all shipped scenes.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Episodes for each label of each scene.")] = 20,
    over_ros: Annotated[
        bool, typer.Option("--over-ros", help="Play the goals on the real graph, in real time.")
    ] = False,
    rig: Annotated[str, typer.Option(help="With --over-ros: twin or emulated.")] = "twin",
    json_file: Json = None,
) -> None:
    """Play focus goals in the twin and compare policies: success, sharpness and number of steps."""
    from dasha_ros.assets.catalogue import AssetMissing
    from dasha_ros.benchmark.focus import benchmark_focus
    from dasha_ros.benchmark.table import markdown
    from dasha_ros.devices.errors import DeviceError
    from dasha_ros.perception.errors import ModelError
    from dasha_ros.policies.learned.policy_file import PolicyFileError
    from dasha_ros.policies.registry import UnknownPolicyError
    from dasha_ros.twin.scene import SceneError

    refuse_unwritable(json_file)
    refuse_twice("--policy", policy, agent="focus")
    refuse_twice("--scene", scene)
    if not over_ros:
        refuse_given(context, ["rig"], "a comparison without --over-ros")
    stops: list[KeyboardInterrupt] = []
    wrong: list[str] = []
    if over_ros:
        rows, wrong = _over_ros(policy or [None], scene or (), seeds, rig, stops.append)
    else:
        try:
            rows = benchmark_focus(
                policy or POLICIES, scene or (), seeds, console=err(), on_stop=stops.append,
                on_fault=wrong.append,
            )  # fmt: skip
        except (
            UnknownPolicyError,
            PolicyFileError,
            SceneError,
            AssetMissing,
            DeviceError,
            ModelError,
        ) as error:
            fail(str(error), Exit.REFUSED)
    out().print(markdown(rows))
    write_json(json_file, rows)
    if stops:
        raise typer.Exit(interrupted(stops[0]))
    if wrong:
        fail("; ".join(wrong))


def _over_ros(
    policies: Sequence[str | None],
    scenes: Sequence[str],
    seeds: int,
    rig: str,
    on_stop: Callable[[KeyboardInterrupt], None],
) -> tuple[list[dict[str, Any]], list[str]]:
    """The rows, and what is wrong with policies."""
    from dasha_ros.assets.catalogue import AssetMissing
    from dasha_ros.benchmark.episodes import goals_of
    from dasha_ros.benchmark.focus import faults, progress, table
    from dasha_ros.bringup.lock import GraphRunsAlreadyError
    from dasha_ros.cli.benchmark.measure.episodes import episodes_over_ros
    from dasha_ros.cli.graph.ready import GraphError
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
    except KeyboardInterrupt as reason:
        on_stop(reason)
        err().print(f"stopped: the table holds the {len(done)} episodes played so far", style="yellow")
    except (GraphError, GraphRunsAlreadyError, FocusError, ConfigError) as error:
        fail(str(error))
    except (SceneError, AssetMissing) as error:
        fail(str(error), Exit.REFUSED)
    return table(done), faults(done)
