"""Ask a running graph to find an object, and follow every step.

dasha up                                   # in another terminal
python examples/first_goal.py motorcycle
"""

from __future__ import annotations

import sys

from dasha_ros.client import FocusClient, FocusError, Progress


def show(step: Progress) -> None:
    """Print one step; called in the client's own thread."""
    print(
        f"{step.phase.name:9} step {step.step}: {step.exposure_us:,.0f} us, "
        f"best score {step.best_score:.2f}, BRISQUE {step.brisque:.1f}"
    )


def main(label: str) -> int:
    """Return 0 when the object was found, 1 when not."""
    with FocusClient() as client:
        try:
            result = client.focus(label, min_score=0.5, timeout=60.0, on_feedback=show).raise_for_error()
        except FocusError as error:  # no server, a rejected goal, a deadline, an object that is not there
            print(f"{type(error).__name__}: {error}")
            return 1
    assert result.detection is not None
    print(f"found {result.detection.label} with a score of {result.detection.score:.2f}")
    print(f"{result.exposure_steps} + {result.focus_steps} steps, {result.seconds:.1f} s")
    print(f"report: {result.report}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "motorcycle"))
