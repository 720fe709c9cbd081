"""Times one closed-loop step over the graph, with `dasha record` beside it and without."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from dasha_ros.cli.benchmark.measure.turns import Meter, by_turns, cpu_s, quiet_rig

_READY = "recording to "
_ENDS_S = 30.0


def step_recorded(images: str, steps: int) -> dict[str, Any]:
    """Time steps in blocks, recorded and not; see `by_turns`.

    Args:
        images: How pictures are recorded: raw, jpeg or none.
        steps: How many steps of each kind are timed.

    Returns:
        - ``step_ms_p50``, ``recorded_ms_p50``: without and with the recorder [ms]
        - ``ratio``: of the two
        - ``record_cpu_ms_per_step``: processor time of the recorder [ms]
        - ``megabytes_per_step``: on the disk
        - ``images``, ``steps``

    Raises:
        GraphError: The graph does not come up or does not answer.
        OSError: The recorder does not start.
    """
    with quiet_rig() as (client, rig), tempfile.TemporaryDirectory(prefix="dasha-record-") as place:
        count = iter(range(sys.maxsize))

        @contextmanager
        def recorded() -> Iterator[Meter]:
            with recorder(client.namespace, Path(place, str(next(count))), images) as meter:
                yield meter

        turns = by_turns(rig, steps, recorded)
    numbers = turns.ratio()
    return {
        "step_ms_p50": numbers["step_ms_p50"],
        "recorded_ms_p50": numbers["beside_ms_p50"],
        "ratio": numbers["ratio"],
        "record_cpu_ms_per_step": numbers["cpu_ms_per_step"],
        "megabytes_per_step": round(turns.taken / 1e6 / numbers["steps"], 2),
        "images": images,
        "steps": numbers["steps"],
    }


@contextmanager
def recorder(namespace: str, folder: Path, images: str, ready: str = _READY) -> Iterator[Meter]:
    """``dasha record`` in a process of its own; ended by SIGTERM, as a person's Ctrl-C would.

    Args:
        namespace: Of the graph.
        folder: Where it records to; it must not be there.
        images: raw, jpeg or none.
        ready: Begin of what it says when the context may begin.

    Raises:
        OSError: It does not start.
    """
    command = [sys.executable, "-m", "dasha_ros.cli", "record", "-o", str(folder)]
    with subprocess.Popen(
        [*command, "--images", images, "--namespace", namespace], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        try:
            said = ""
            while not said.startswith(ready):
                if not (said := process.stderr.readline()):
                    raise ChildProcessError("`dasha record` did not start")
            # Nothing may wait for its further words.
            threading.Thread(target=process.stderr.read, name="recorder's words", daemon=True).start()
            own = psutil.Process(process.pid)
            yield lambda: (cpu_s(own), sum(path.stat().st_size for path in folder.glob("*.mcap")))
        finally:
            process.terminate()
            process.wait(_ENDS_S)
