"""Random faults for the drivers, by the thousand, the same ones for the same seed.

``python -m dasha_ros.emulators.fault_sequences.run --seed 1 --lens 1000 --camera 200`` prints what it did
and ends with 1 when a promise was broken. Time is compressed: time-outs are short, and
where a person would wait for a cable to be plugged in again, the driver just tries often.
"""

from __future__ import annotations

import argparse
import faulthandler
import sys
import time
from collections.abc import Sequence

from dasha_ros.emulators.fault_sequences.promises import PromiseBroken, soak

STDERR = 2
HANG_S = 60.0
"""A sequence takes a fraction of a second; one that takes so long hangs."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the soak from the command line; 0 when every promise was kept."""
    parser = argparse.ArgumentParser(
        prog="dasha_ros.emulators.fault_sequences.run", description="Random faults for the drivers."
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first sequence")
    parser.add_argument("--lens", type=int, default=1000, help="sequences against the lens port")
    parser.add_argument("--camera", type=int, default=200, help="sequences against the camera")
    options = parser.parse_args(arguments)
    from dasha_ros.emulators.fault_sequences.camera import CameraSoak
    from dasha_ros.emulators.fault_sequences.lens import LensSoak

    for name, count, make in (("lens", options.lens, LensSoak), ("camera", options.camera, CameraSoak)):
        if not count:
            continue
        begin = time.monotonic()
        with make() as player:
            faulthandler.dump_traceback_later(HANG_S + count, exit=True, file=STDERR)
            try:
                tally = soak(name, player.play, count, options.seed, options.first)
            except PromiseBroken as error:
                print(f"BROKEN: {error}", file=sys.stderr)
                return 1
            finally:
                faulthandler.cancel_dump_traceback_later()
        print(f"{name}: seed {options.seed}, {time.monotonic() - begin:.1f} s, {tally}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
