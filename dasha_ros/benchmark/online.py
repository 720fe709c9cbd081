"""``python -m dasha_ros.benchmark.online``: how the return rose while agents learned from real goals."""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dasha_ros.files.documents import read_text


@dataclass(frozen=True)
class Episodes:
    """What `learning.training.online` kept of every episode, in order."""

    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]

    @classmethod
    def read(cls, path: Path) -> Episodes:
        """Read ``episodes.monitor.csv``.

        Raises:
            ValueError: It holds no episode.
        """
        lines = read_text(path).splitlines()[1:]  # The first is what the run was, as JSON.
        try:
            rows = [(float(row["r"]), int(row["l"])) for row in csv.DictReader(lines)]
        except (KeyError, TypeError, ValueError, csv.Error) as error:
            raise ValueError(f"{path} holds no episodes: {error}") from error
        if not rows:
            raise ValueError(f"{path} holds no episode")
        return cls(np.array([r for r, _ in rows]), np.array([length for _, length in rows], np.int64))

    def parts(self, count: int) -> list[tuple[int, float, float]]:
        """Steps at the end, mean return and its standard error of each of ``count`` parts of the run.

        The standard error of a single episode is NaN.
        """
        ends = np.cumsum(self.lengths)
        parts = np.array_split(np.arange(len(self.returns)), min(count, len(self.returns)))
        return [
            (
                int(ends[part[-1]]),
                float(self.returns[part].mean()),
                float(self.returns[part].std(ddof=1) / np.sqrt(len(part))) if len(part) > 1 else math.nan,
            )
            for part in parts
        ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the course of each run, and draw it."""
    parser = argparse.ArgumentParser(prog="python -m dasha_ros.benchmark.online", description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, help="files episodes.monitor.csv of `dasha up --learn`")
    parser.add_argument("--parts", type=int, default=8, help="of each run")
    parser.add_argument("--out", type=Path, help="figure to write")
    chosen = parser.parse_args(arguments)
    try:
        courses = {path: Episodes.read(path).parts(chosen.parts) for path in chosen.runs}
    except ValueError as error:
        parser.error(f"no episodes: {error}")
    for path, course in courses.items():
        print(path.name)
        for steps, mean, spread in course:
            known = "" if math.isnan(spread) else f" +- {spread:.2f}"
            print(f"  up to step {steps:6d}: return {mean:7.2f}{known}")
    if chosen.out is not None:
        _draw(courses, chosen.out)


def _draw(courses: dict[Path, list[tuple[int, float, float]]], out: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.0 * len(courses), 3.0), layout="constrained")
    for axes, (path, course) in zip(
        figure.subplots(1, len(courses), squeeze=False)[0], courses.items(), strict=True
    ):
        steps, means, spreads = zip(*course, strict=True)
        axes.errorbar(steps, means, spreads, marker="o", capsize=3)
        axes.set(title=path.stem, xlabel="steps", ylabel="return of an episode")
        axes.grid(alpha=0.3)
    figure.savefig(out)


if __name__ == "__main__":
    main()
