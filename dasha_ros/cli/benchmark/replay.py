"""``dasha benchmark replay``: whether replayed goals end as the recorded ones."""

from __future__ import annotations

from itertools import cycle, islice
from typing import Annotated

import typer

from dasha_ros.cli.evaluation import shared
from dasha_ros.cli.terminal.console import Exit, err, fail, out
from dasha_ros.cli.terminal.files import Json, refuse_unwritable, write_json

SCENES = (
    "astronaut_pagoda",
    "cat_pagoda",
    "cup_street",
    "motorcycle_garage",
    "motorcycle_pagoda",
    "three_depths",
)


def replay(
    *,
    scene: Annotated[
        list[str] | None, typer.Option(help="Name or path; repeatable; default: six scenes.")
    ] = None,
    goals: Annotated[int, typer.Option(min=1, help="How many goals to record and to replay.")] = 20,
    json_file: Json = None,
) -> None:
    """Record goals on the twin from random starts, replay each, and compare how they end."""
    from dasha_ros.assets.catalogue import AssetMissing
    from dasha_ros.benchmark.episodes import goals_of
    from dasha_ros.benchmark.trials.replayed import Replayed, row, summary
    from dasha_ros.bringup.lock import GraphRunsAlreadyError
    from dasha_ros.cli.benchmark.measure.replayed import replayed_goals
    from dasha_ros.cli.graph.ready import GraphError
    from dasha_ros.client import FocusError
    from dasha_ros.config import ConfigError
    from dasha_ros.twin.scene import SceneError

    refuse_unwritable(json_file)
    shared.refuse_twice("--scene", scene)
    pairs: list[Replayed] = []
    try:
        with shared.until_stopped(
            lambda: f"stopped: the summary holds the {len(pairs)} goals played so far"
        ) as end:
            known = goals_of(tuple(scene or SCENES))
            wanted = [(goal, i // len(known)) for i, goal in enumerate(islice(cycle(known), goals))]
            for pair in replayed_goals(wanted):
                pairs.append(pair)
                told = "the same" if pair.is_same else "not the same"
                err().print(
                    f"{pair.goal}: {pair.recorded.code.name}, replayed {pair.replayed.code.name}, "
                    f"{pair.apart_px:.2f} px apart: {told}",
                )
    except (SceneError, AssetMissing) as error:
        fail(str(error), Exit.REFUSED)
    except (GraphError, GraphRunsAlreadyError, FocusError, ConfigError, OSError) as error:
        fail(str(error))
    out().print(summary(pairs))
    write_json(json_file, [row(pair) for pair in pairs])
    end()
