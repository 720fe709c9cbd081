"""``dasha benchmark rig``: the cost of the real drivers, on emulated devices and compared with the twin."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from dasha_ros.cli.evaluation.shared import refuse_twice
from dasha_ros.cli.terminal.console import Exit, err, fail, out
from dasha_ros.cli.terminal.files import Json, refuse_unwritable, write_json

SCENES = ("motorcycle_street", "cup_street")
"""Near and far objects."""


def rig(
    scene: Annotated[
        list[str] | None, typer.Option(help="Scene of the goals, by name or path; repeatable.")
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=0, help="Goals for each label of each scene, on both rigs; 0: none.")
    ] = 2,
    count: Annotated[int, typer.Option(min=10, help="Pictures and lens commands to time.")] = 200,
    preview_seconds: Annotated[float, typer.Option(min=2.0, help="How long to watch the preview.")] = 20.0,
    json_file: Json = None,
) -> None:
    """Time the real drivers on emulated devices: pictures, preview, lens; and goals against the twin.

    Ends with a table of targets for the emulated rig.
    """
    from dasha_ros.assets.catalogue import AssetMissing
    from dasha_ros.benchmark.rig_targets import markdown, targets
    from dasha_ros.bringup.lock import GraphRunsAlreadyError
    from dasha_ros.cli.benchmark.measure.rig import benchmark_rig
    from dasha_ros.cli.graph.ready import GraphError
    from dasha_ros.client import FocusError
    from dasha_ros.config import ConfigError
    from dasha_ros.twin.scene import SceneError

    refuse_unwritable(json_file)
    refuse_twice("--scene", scene)
    console = err()
    try:
        numbers = benchmark_rig(
            scene or SCENES,
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
            out().print(f"{f'{part} {key}':34} {value}")
    reached = targets(numbers)
    out().print(f"\n{markdown(reached)}")
    write_json(json_file, {**numbers, "targets": [asdict(target) for target in reached]})
