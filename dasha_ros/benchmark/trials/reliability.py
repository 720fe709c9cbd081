"""``python -m dasha_ros.benchmark.trials.reliability``: is what the belief states true as often as it says?

Plays a policy on the photographs that it did not train on, and on focal stacks, and compares what was stated
of each picture with the truth (`claims`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from dasha_ros.benchmark.evaluation import play
from dasha_ros.benchmark.methods import FocusMethod, perception_for
from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.table import markdown
from dasha_ros.benchmark.testbed import cache_testbed
from dasha_ros.benchmark.trials.claims import BELIEF, OWN, WITHIN_PX, Claim, reliability, with_claims
from dasha_ros.benchmark.trials.journal import Journal
from dasha_ros.benchmark.trials.stacks import play_stacks, stack_methods
from dasha_ros.devices.errors import DeviceError
from dasha_ros.files.writing import write_whole
from dasha_ros.learning.dataset.cache.store import CacheError
from dasha_ros.learning.evaluation.settings import focus_setting
from dasha_ros.learning.evaluation.stacks import stacks_in
from dasha_ros.optics.tone import Tone
from dasha_ros.perception.errors import ModelError

SETTINGS = ("planes_wide", "two_depths")
TONES: tuple[Tone, ...] = ("linear", "srgb")


def on_cache(policy: str, cache: Path, episodes: int) -> list[Row]:
    """Rows of a policy on the test photographs of its split.

    Args:
        policy: Name or path of a learned policy.
        cache: Folder of a percept cache.
        episodes: For each view and setting.

    Raises:
        CacheError: The cache can't be used.
        ValueError: The policy can't be used.
    """
    testbed = cache_testbed(cache, "focus", [policy])
    rows: list[Row] = []
    for setting in map(focus_setting, SETTINGS):
        claims: list[Claim] = []
        for part in testbed.parts:
            for numbers, methods in part.shared_out(testbed.arena.views, _asked(policy, claims)):
                play(testbed.arena, methods, setting, numbers, per_view=episodes, seed=0)
        rows += reliability(claims, policy=policy, setting=setting.name)
    return rows


def on_stacks(policy: str, folder: Path, tones: Sequence[Tone] = TONES) -> list[Row]:
    """Rows of a policy on focal stacks, from every start frame.

    Raises:
        DeviceError: A stack can't be used.
        ValueError: The policy can't be used.
        ModelError: A model is missing.
    """
    stacks, _ = stacks_in(folder)
    perception = perception_for([policy], "focus")
    rows: list[Row] = []
    for tone in tones:
        claims: list[Claim] = []
        play_stacks(stacks, _asked(policy, claims), perception, Journal(), tone=tone)
        rows += reliability(claims, policy=policy, setting=f"stacks_{tone}")
    return rows


def _asked(policy: str, claims: list[Claim]) -> list[FocusMethod]:
    return [with_claims(method, claims.append) for method in stack_methods([policy])]


def draw(rows: Sequence[Row], path: Path) -> None:
    """Stated probability against frequency, a panel for each claimant; the same rows make the same file.

    Raises:
        OSError: The file can't be written.
    """
    import matplotlib

    matplotlib.use("agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 3.4), layout="constrained")
    for axes, who in zip(figure.subplots(1, 2), (BELIEF, OWN), strict=True):
        axes.plot((0.0, 1.0), (0.0, 1.0), color="0.6", linestyle=":", label="calibrated")
        for setting in dict.fromkeys(row["setting"] for row in rows):
            mine = [r for r in rows if (r["setting"], r["who"], r["last"]) == (setting, who, False)]
            axes.plot([r["stated"] for r in mine], [r["frequency"] for r in mine], marker=".", label=setting)
        axes.set_xlabel(f"stated by the {who}: within {WITHIN_PX[who]:g} px")
        axes.set_ylabel("how often it was so")
        axes.grid(alpha=0.3)
        axes.legend(fontsize="x-small")
    path.parent.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context({"svg.hashsalt": path.stem, "svg.fonttype": "none"}):
        figure.savefig(path, metadata={"Date": None, "Creator": None})


def main(arguments: Sequence[str] | None = None) -> None:
    """Play, print the rows, and write what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m dasha_ros.benchmark.trials.reliability", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--policy", default="plus", help="name, or path of a learned policy (.npz)")
    parser.add_argument("--cache", type=Path, help="percept cache; its photographs of the test are used")
    parser.add_argument("--episodes", type=int, default=6, help="with --cache: for each view")
    parser.add_argument("--stacks", type=Path, help="focal stack, or folder of stacks")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--figure", type=Path, help="write the plot to this file (.svg)")
    given = parser.parse_args(arguments)
    if given.cache is None and given.stacks is None:
        parser.error("give --cache (a percept cache), --stacks (a folder of focal stacks), or both")
    rows: list[Row] = []
    try:
        if given.cache is not None:
            rows += on_cache(given.policy, given.cache, given.episodes)
        if given.stacks is not None:
            rows += on_stacks(given.policy, given.stacks)
        print(markdown([row for row in rows if not row["last"]]))
        if given.json is not None:
            write_whole(given.json, "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
        if given.figure is not None:
            draw(rows, given.figure)
    except (CacheError, DeviceError, ModelError, ValueError) as error:
        # All other errors about names, files and values derive from ValueError.
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"the result can't be written: {error}")


if __name__ == "__main__":
    main()
