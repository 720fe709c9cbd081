"""Times one closed-loop step over the graph, with pages of `dasha watch` open and without."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from statistics import median
from typing import Any

import psutil

from dasha_ros.cli.benchmark.measure.commander import set_parameters
from dasha_ros.cli.benchmark.measure.pages import Pages, WatchCommand
from dasha_ros.cli.benchmark.measure.turns import Meter, by_turns, cpu_s, quiet_rig
from dasha_ros.cli.graph.ready import GraphError
from dasha_ros.config import CameraDriverConfig

_OPENINGS = 7
"""How often a page is opened on the idle graph."""
_PICTURE_BYTES = 20_000
"""A picture has more, and all that a page gets before it has less."""
_PATIENCE_S = 20.0


def step_watched(pages: int, steps: int) -> dict[str, Any]:
    """Time steps in blocks, with pages open and without; see `by_turns`.

    Readers that throw everything away stand in for the browsers; see `Pages`.

    Args:
        pages: How many pages are open.
        steps: How many steps of each kind are timed.

    Returns:
        - ``step_ms_p50``, ``watched_ms_p50``: without and with pages [ms]
        - ``ratio``: of the two
        - ``watch_cpu_ms_per_step``: processor time of the page's server [ms]
        - ``kilobytes_per_page_and_step``
        - ``first_picture_s_p50``, ``first_picture_s_max``: from opening a page of the idle graph to its first
          picture [s]
        - ``pages``, ``steps``

    Raises:
        GraphError: The graph does not come up or does not answer.
        OSError: The page's server does not start.
    """
    with quiet_rig() as (client, rig), closing(WatchCommand(client.namespace)) as command:
        server = psutil.Process(command.pid)

        @contextmanager
        def opened() -> Iterator[Meter]:
            with closing(Pages(command.port, pages)) as readers:
                yield lambda: (cpu_s(server), readers.received)

        turns = by_turns(rig, steps, opened)
        set_parameters(client, "camera_driver", preview_rate_hz=CameraDriverConfig().preview_rate_hz)
        first_s = [_first_picture_s(command.port) for _ in range(_OPENINGS)]
    numbers = turns.ratio()
    return {
        "step_ms_p50": numbers["step_ms_p50"],
        "watched_ms_p50": numbers["beside_ms_p50"],
        "ratio": numbers["ratio"],
        "watch_cpu_ms_per_step": numbers["cpu_ms_per_step"],
        "kilobytes_per_page_and_step": round(turns.taken / 1e3 / pages / numbers["steps"], 1),
        "first_picture_s_p50": round(median(first_s), 2),
        "first_picture_s_max": round(max(first_s), 2),
        "pages": pages,
        "steps": numbers["steps"],
    }


def _first_picture_s(port: int) -> float:
    began = time.monotonic()
    with closing(Pages(port, 1)) as page:
        if not page.has_received(_PICTURE_BYTES, _PATIENCE_S):
            raise GraphError(f"a page got no picture of the idle graph in {_PATIENCE_S:g} s")
        return time.monotonic() - began
