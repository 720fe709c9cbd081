"""Plays the methods of Table 1, and takes the time of autofocus apart.

The time of an episode is what a rig would need: exposure and settling on the twin's clock, the way of
pictures and commands over their wires, and inference, measured on this machine.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from dasha_ros.benchmark.methods import FocusMethod
from dasha_ros.benchmark.paper.ground import photographs_of
from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.trials.intervals import Estimate, mean_of, share_of
from dasha_ros.benchmark.trials.journal import Journal
from dasha_ros.control.twin_rig import TwinRig
from dasha_ros.learning.evaluation.evaluate import FocusTrial
from dasha_ros.perception.pipeline import Perception
from dasha_ros.twin.world import World

TRANSPORT_S = 2048 * 1088 * 8 / 1e9
"""A picture of the paper's camera over Gigabit Ethernet [s], at eight bits a pixel."""
COMMAND_S = 0.004
"""A focus command over the serial line of the lens [s]: two register writes at 57,600 baud
(docs/results/emulated-rig.md)."""
TEN = 10
"""The paper's averages are over so many experiments."""
TIMES = ("exposure_s", "settling_s", "transport_s", "reading_s", "deciding_s")
"""The parts of the time of autofocus; reading and deciding are measured inference."""


def reading_s(encoder: str, frames: int, progress: Callable[[int], None]) -> float:
    """Median time in which perception reads a picture of 2048 x 1088 on this machine [s].

    Args:
        encoder: Id of the encoders that are read; empty: of none but the default's.
        frames: How many pictures are timed, after three that are not.
        progress: Told of each.

    Raises:
        ModelError: A model is missing.
    """
    rig = TwinRig(Perception(encoder) if encoder else Perception(), World("cat"), position=42.0)
    taken = []
    for number in range(frames + 3):
        taken.append(rig.observe().stage_ms["total"] / 1e3)
        progress(number)
    return statistics.median(taken[3:])


def readings_of(
    methods: Sequence[FocusMethod], journal: Journal, frames: int, progress: Callable[[int, int, str], None]
) -> dict[str, float]:
    """`reading_s` by the encoder of the methods; kept in the journal, so that a resumed run has one time."""
    found: dict[str, float] = {}
    wanted = list(dict.fromkeys(method.encoder for method in methods))
    for encoder in wanted:
        name = f"reading {encoder or 'default'} {frames}"
        row = journal.take(name, {"reading_s"})
        if row is None:
            seconds = reading_s(
                encoder, frames, lambda number: progress(number, frames + 2, "table_1: time of inference")
            )
            row = journal.add(name, {"encoder": encoder, "reading_s": round(seconds, 5)})
        found[encoder] = row["reading_s"]
    return found


def time_of(trial: FocusTrial, reading: float) -> dict[str, float]:
    """The parts of an episode's time [s]; see `TIMES`. The exposure stays the same during an episode."""
    exposure = trial.frames * trial.start.exposure_us / 1e6
    return {
        "exposure_s": exposure,
        "settling_s": max(0.0, trial.seconds - exposure),
        "transport_s": trial.frames * TRANSPORT_S + trial.moves_settled * COMMAND_S,
        "reading_s": trial.frames * reading,
        "deciding_s": trial.frames * trial.decide_ms / 1e3,
    }


def summed(trials: Sequence[FocusTrial], reading: float, per_view: int) -> Row:
    """One method in one setting.

    - ``episodes``; ``in_focus``: share that ended within 2 px, ``detected``: with the object detected
    - ``af_steps``, ``af_seconds``, and each of `TIMES`: means of the episodes that ended in focus
    - ``ten``: the same of the first ten episodes, one a view as far as views go
    - all but ``ten`` as `Estimate` with a 95 % interval by photograph; ``None``: nothing ended in focus

    Args:
        trials: Its episodes, those of a view one after the other.
        reading: Time to read a picture [s].
        per_view: Episodes of each view.
    """
    order = sorted(range(len(trials)), key=lambda i: (i % per_view, i))
    first = [trials[i] for i in order[:TEN]]
    return {
        "episodes": len(trials),
        "in_focus": _estimate(trials, lambda t: float(t.focused), share_of),
        "detected": _estimate(trials, lambda t: float(t.detected), share_of),
        "over_ten": _estimate(trials, lambda t: float(t.moves_settled > TEN), share_of),
        **_times(trials, reading),
        "ten": {key: held and held["mean"] for key, held in _times(first, reading).items()}
        | {"in_focus": statistics.fmean(t.focused for t in first)},
    }


def _times(trials: Sequence[FocusTrial], reading: float) -> dict[str, Any]:
    focused = [trial for trial in trials if trial.focused]
    found = {
        "af_steps": _estimate(focused, lambda t: float(t.moves_settled), mean_of),
        "af_seconds": _estimate(focused, lambda t: sum(time_of(t, reading).values()), mean_of),
    }
    for key in TIMES:
        found[key] = _estimate(focused, lambda t, key=key: time_of(t, reading)[key], mean_of)  # type: ignore[misc]
    return found


def _estimate(
    trials: Sequence[FocusTrial],
    value: Callable[[FocusTrial], float],
    over: Callable[[dict[str, list[float]]], Estimate],
) -> Row | None:
    clusters: dict[str, list[float]] = {}
    for trial in trials:
        clusters.setdefault(photographs_of(trial.view), []).append(value(trial))
    if not clusters:
        return None
    made = over(clusters)
    return {"mean": made.mean, "low": made.low, "high": made.high}
