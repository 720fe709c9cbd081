"""Ask a running graph to make a part of the picture sharp, whatever is there.

dasha up                                            # in another terminal
python examples/focus_here.py 0.3 0.3 0.7 0.7       # left, top, right, bottom, as fractions of the picture
"""

from __future__ import annotations

import sys

from dasha_ros.client import FocusClient, FocusError

MIDDLE = (0.3, 0.3, 0.7, 0.7)


def main(region: tuple[float, ...]) -> int:
    """Return 0 when the region is sharp, 1 when not."""
    with FocusClient() as client:
        try:
            result = client.focus(region=region, max_seconds=60.0).raise_for_error()
        except FocusError as error:  # no server, a rejected region, nothing there to focus on
            print(f"{type(error).__name__}: {error}")
            return 1
    print(f"sharp at {result.lens}, after {result.exposure_steps} + {result.focus_steps} steps")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(tuple(map(float, sys.argv[1:])) or MIDDLE))
    except ValueError as error:  # not numbers, not four of them, or no part of the picture
        sys.exit(f"focus_here: {error}; give left, top, right and bottom, as fractions of the picture")
