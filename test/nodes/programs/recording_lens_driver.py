"""The lens driver with a back end that writes down every position it is given."""

from __future__ import annotations

import os
import sys

from dasha_ros.devices.lens import LensReading
from dasha_ros.devices.twin.lens import TwinLens
from dasha_ros.nodes import lens_driver
from dasha_ros.ros.driver_nodes import backends


class RecordingLens(TwinLens):
    """The twin's lens, which records every command."""

    def move(self, position: float) -> LensReading:
        with open(os.environ["DASHA_TEST_RECORD"], "a") as record:
            record.write(f"{position!r}\n")
        return super().move(position)


def lens_backend(config: object, clock: object, node: object) -> RecordingLens:
    made = backends.lens_backend(config, clock)
    return RecordingLens(clock, made._model)


lens_driver.lens_backend = lens_backend

if __name__ == "__main__":
    lens_driver.main(sys.argv)
