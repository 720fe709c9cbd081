"""Plays thousands of random faults against the drivers; the same seed gives the same faults.

``python -m dasha_ros.emulators.fault_sequences.run --seed 1 --lens 1000 --optotune 500 --camera 200`` prints
a summary, and ends with exit code 1 if a driver broke a promise. Time is compressed: timeouts are short, and
the driver retries at once instead of waiting for the cable to be plugged in again.
"""

from __future__ import annotations

import argparse
import faulthandler
import sys
import time
from collections.abc import Callable, Sequence

from dasha_ros.emulators.fault_sequences.promises import PromiseBroken, play_sequences

STDERR = 2
HANG_S = 60.0
"""A sequence takes a fraction of a second: one that takes this long hangs."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit code 0 if every promise was kept."""
    parser = argparse.ArgumentParser(
        prog="dasha_ros.emulators.fault_sequences.run", description="Random faults for the drivers."
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first sequence")
    parser.add_argument("--lens", type=int, default=1000, help="sequences against the Varioptic back end")
    parser.add_argument("--optotune", type=int, default=500, help="sequences against the Optotune back end")
    parser.add_argument("--camera", type=int, default=200, help="sequences against the camera")
    options = parser.parse_args(arguments)
    from dasha_ros.emulators.fault_sequences.camera import CameraFaults
    from dasha_ros.emulators.fault_sequences.lens import LensFaults

    players: tuple[tuple[str, int, Callable[[], CameraFaults | LensFaults]], ...] = (
        ("lens", options.lens, LensFaults),
        ("optotune", options.optotune, lambda: LensFaults("optotune")),
        ("camera", options.camera, CameraFaults),
    )
    for name, count, make in players:
        if not count:
            continue
        begin = time.monotonic()
        with make() as player:
            faulthandler.dump_traceback_later(HANG_S + count, exit=True, file=STDERR)
            try:
                tally = play_sequences(name, player.play, count, options.seed, options.first)
            except PromiseBroken as error:
                print(f"BROKEN: {error}", file=sys.stderr)
                return 1
            finally:
                faulthandler.cancel_dump_traceback_later()
        print(f"{name}: seed {options.seed}, {time.monotonic() - begin:.1f} s, {tally}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
