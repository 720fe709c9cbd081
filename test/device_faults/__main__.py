"""Plays random faults on each back end, and writes what happened; see the package.

Each run of a back end appends a row to the file of ``--rows``. So the sequences on Aravis' fake camera, which
mostly waits and has a fixed port, can be shared among network namespaces: ``unshare -rn`` with ``--first``
and ``--sequences``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from dasha_ros.emulators.fault_sequences.lens import LensFaults
from dasha_ros.emulators.fault_sequences.promises import PromiseBroken, Sequencer, play_sequences
from device_faults import ros_driver, webcam
from device_faults.genicam import GenicamFaults
from device_faults.lenses import play_focuser, play_icc, play_lens_port


class _Player:
    def __init__(self, play: Sequencer) -> None:
        self.play = play


PLAYERS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "webcam": lambda: nullcontext(_Player(webcam.play)),
    "ros_driver": lambda: nullcontext(_Player(ros_driver.play)),
    "optotune": lambda: LensFaults("optotune"),
    "optotune_icc": lambda: nullcontext(_Player(play_icc)),
    "indi": lambda: nullcontext(_Player(play_focuser)),
    "lens_port": lambda: nullcontext(_Player(play_lens_port)),
    "aravis": GenicamFaults,
}


def main() -> int:
    """Run from the command line; exit code 0 if every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m device_faults", description=__doc__)
    parser.add_argument("--back-end", action="append", choices=[*PLAYERS], help="repeatable; default: all")
    parser.add_argument("--sequences", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="number of the first sequence")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=Path, help="JSON lines, to which one for each back end is added")
    options = parser.parse_args()
    for name in options.back_end or PLAYERS:
        begin = time.monotonic()
        try:
            with PLAYERS[name]() as player:
                tally = play_sequences(name, player.play, options.sequences, options.seed, options.first)
        except pytest.skip.Exception as missing:
            print(f"{name}: skipped: {missing}", file=sys.stderr)
            continue
        except PromiseBroken as error:
            print(f"BROKEN: {error}", file=sys.stderr)
            return 1
        took_s = time.monotonic() - begin
        print(f"{name}: seed {options.seed}, {took_s:.1f} s, {tally}", flush=True)
        row = {
            "back_end": name,
            "seed": options.seed,
            "first": options.first,
            "sequences": tally.sequences,
            "recoveries": tally.recoveries,
            "longest_call_s": round(tally.longest_call_s, 3),
            "seconds": round(took_s, 1),
            "calls": dict(tally.calls.most_common()),
            "faults": dict(tally.faults.most_common()),
        }
        if options.rows is not None:
            with options.rows.open("a") as file:
                file.write(json.dumps(row) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
