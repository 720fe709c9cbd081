"""Times one closed-loop step over the graph, with pages of `dasha watch` open and without."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psutil

from dasha_ros.cli.benchmark.measure.pages import Pages, WatchCommand
from dasha_ros.cli.benchmark.measure.turns import Meter, by_turns, cpu_s, quiet_rig


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
        - ``pages``, ``steps``

    Raises:
        GraphError: The graph does not come up or does not answer.
        OSError: The page's server does not start.
    """
    with quiet_rig() as (namespace, rig), closing(WatchCommand(namespace)) as command:
        server = psutil.Process(command.pid)

        @contextmanager
        def opened() -> Iterator[Meter]:
            with closing(Pages(command.port, pages)) as readers:
                yield lambda: (cpu_s(server), readers.received)

        turns = by_turns(rig, steps, opened)
    numbers = turns.ratio()
    return {
        "step_ms_p50": numbers["step_ms_p50"],
        "watched_ms_p50": numbers["beside_ms_p50"],
        "ratio": numbers["ratio"],
        "watch_cpu_ms_per_step": numbers["cpu_ms_per_step"],
        "kilobytes_per_page_and_step": round(turns.taken / 1e3 / pages / numbers["steps"], 1),
        "pages": pages,
        "steps": numbers["steps"],
    }
