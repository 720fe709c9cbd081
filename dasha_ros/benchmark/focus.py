"""The table of focus policies: success, sharpness, and number of steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import dasha_ros.policies.rivals  # noqa: F401  (adds the rivals to the registry)
from dasha_ros.benchmark.episodes import HEIGHT, ORACLE, WIDTH, Episode, episodes, goals_of
from dasha_ros.benchmark.methods import perception_for
from dasha_ros.benchmark.rows import Row, mean, share
from dasha_ros.learning.evaluation.settings import FOCUSED_PX
from dasha_ros.perception.pipeline import Perception
from dasha_ros.policies.moves import HUNTING_REVERSALS
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.twin.scene import scene_names


def benchmark_focus(
    policies: Sequence[str] = ("coarse_to_fine", "contrast", ORACLE),
    scenes: Sequence[str] = (),
    seeds: int = 20,
    *,
    perception: Perception | None = None,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    console: Console | None = None,
    on_stop: Callable[[KeyboardInterrupt], None] = lambda reason: None,
    on_fault: Callable[[str], None] = lambda sentence: None,
) -> list[Row]:
    """Play goals in the twin and sum them up. Ctrl-C keeps what is done.

    Args:
        policies: Names of A^L policies; ``oracle`` knows the true focus and shows how often the
            detector could succeed at all.
        scenes: Names or paths; empty: all that ship with the package.
        seeds: Episodes for each goal, that is for each label of each scene.
        perception: Reads the frames; if left out: the embedded models that the policies need.
        size: Width and height of the rendered frames [px], binned from twice as many pixels.
        console: Where progress is shown; ``None``: nowhere.
        on_stop: Told if it was interrupted, before it returns what is done.
        on_fault: Told of each policy with faults of its own; see `faults`.

    Returns:
        One row for each policy over all goals (``goal`` is ``"all"``), then one for each policy and goal:

        - ``policy``, ``goal``, ``scenes`` (how many), ``episodes`` (how many)
        - ``success``: share that ended without error, the object detected and within 2 px
        - ``within_2px``, ``within_1px``: share that ended with a true blur radius of at most so
          many pixels of a 640-px image, for the asked-for object nearest to focus
        - ``detected``: share that ended with the object detected
        - ``moves_first``: mean lens commands until the object was first within 2 px, where it ever was
        - ``moves_settled``: mean lens commands until the end
        - ``frames``: mean pictures of both agents
        - ``hunting``: share with two or more reversals of more than 0.093 D
        - ``seconds``: mean time on the twin's clock, exposure and settling; rendering,
          transport and perception are not in it
        - ``median_blur_px``, ``width_px`` (of the rendered frames)

    Raises:
        UnknownPolicyError: No policy has this name.
        SceneError: No such scene.
        DeviceError: A scene can't be used.
        PolicyFileError: A learned policy can't be used.
        ModelError: A model of the embedded perception is missing.
    """
    goals = goals_of(tuple(scenes) or scene_names())
    reader = perception or perception_for(policies, "focus")
    done: list[Episode] = []
    with progress(console) as bar:
        task = bar.add_task("", total=len(goals) * seeds * len(policies))
        try:
            for episode in episodes(policies, goals, range(seeds), reader, size=size):
                done.append(episode)
                bar.update(task, advance=1, description=f"{episode.goal}")
        except KeyboardInterrupt as reason:
            on_stop(reason)
            sentence = f"stopped: the table holds the {len(done)} episodes done so far"
            bar.console.print(sentence, style="yellow")
    for sentence in faults(done):
        on_fault(sentence)
    return [row | {"width_px": size[0]} for row in table(done)]


def faults(done: Iterable[Episode]) -> list[str]:
    """A sentence for each policy that asked for what can't be, or raised an error: a table does not tell."""
    by_policy: dict[str, list[str]] = {}
    for episode in done:
        by_policy.setdefault(episode.policy, []).append(episode.fault)
    return [
        f"{policy} is at fault in {len(said)} of {len(each)} episodes; the first: {said[0]}"
        for policy, each in by_policy.items()
        if (said := [fault for fault in each if fault])
    ]


def table(done: Iterable[Episode]) -> list[Row]:
    """Rows for each policy over all goals, then for each policy and goal; see `benchmark_focus`."""
    by_policy: dict[str, list[Episode]] = {}
    by_goal: dict[tuple[str, str], list[Episode]] = {}
    for episode in done:
        by_policy.setdefault(episode.policy, []).append(episode)
        by_goal.setdefault((episode.policy, str(episode.goal)), []).append(episode)
    rows = [_row(policy, "all", group) for policy, group in by_policy.items()]
    return rows + [_row(policy, goal, group) for (policy, goal), group in by_goal.items()]


def _row(policy: str, goal: str, group: Sequence[Episode]) -> Row:
    first = [e.moves_first for e in group if e.moves_first is not None]
    blurs = sorted(e.blur_px for e in group)
    middle = len(blurs) // 2
    return {
        "policy": policy,
        "goal": goal,
        "scenes": len({e.goal.scene for e in group}),
        "episodes": len(group),
        "success": share(e.code is ErrorCode.NONE and e.detected and e.blur_px <= FOCUSED_PX for e in group),
        "within_2px": share(e.blur_px <= FOCUSED_PX for e in group),
        "within_1px": share(e.blur_px <= 1.0 for e in group),
        "detected": share(e.detected for e in group),
        "moves_first": mean(first),
        "moves_settled": mean([e.moves_settled for e in group]),
        "frames": mean([e.frames for e in group]),
        "hunting": share(e.reversals >= HUNTING_REVERSALS for e in group),
        "seconds": mean([e.seconds for e in group]),
        "median_blur_px": round((blurs[middle] + blurs[~middle]) / 2, 3),
    }


def progress(console: Console | None) -> Progress:
    """A bar with the time left, on ``console`` or nowhere."""
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    return Progress(*columns, console=console, transient=True, disable=console is None)
