"""Figure 5: the pictures of one episode, whose detection certainty rises."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean

from dasha_ros.benchmark.episodes import goals_of
from dasha_ros.benchmark.paper.drawing import LOOKS, new_figure
from dasha_ros.benchmark.paper.html import paragraph, table
from dasha_ros.benchmark.paper.panels import exposure_text, focus_text, show
from dasha_ros.benchmark.paper.part import Claim, Context, Data, Drawing, Part
from dasha_ros.benchmark.paper.parts.recall.measure import MIN_SCORE, Agents
from dasha_ros.benchmark.paper.player import Player, Setting, first_detector, shot_rows
from dasha_ros.benchmark.rows import Row
from dasha_ros.twin.scene import load_scene, scene_names
from dasha_ros.twin.world import FACTORY_EXPOSURE_US, FACTORY_POSITION, World

NAME = "strip"
ILLUMINANCE_LX = 85.0
"""Of the paper's Figure 5."""
_A_LINE = 4
"""Most pictures in a line of the strip."""
_QUICK = ("cat", "motorcycle_street")


def settings(context: Context) -> list[Setting]:
    """A goal for every object of the shipped scenes, from the camera's and the lens's factory settings."""
    goals = goals_of(_QUICK if context.quick else scene_names())
    return [
        Setting(
            str(goal),
            World(goal.scene, ILLUMINANCE_LX, load_scene(goal.scene).distances_m),
            (goal.label,),
            FACTORY_POSITION,
            FACTORY_EXPOSURE_US,
            context.seed,
        )
        for goal in goals
    ]


def chosen(episodes: Sequence[Row]) -> int:
    """The episode to show: one that found its object, whose certainty never falls, with the most pictures.

    The first of several such episodes. Where there is none, what comes first in that list counts most.
    """
    ranked = [
        (row["code"] == "NONE", _never_falls(row["shots"]), len(row["shots"]), -i)
        for i, row in enumerate(episodes)
    ]
    return -max(ranked)[3]


def compute(context: Context) -> Data:
    """Play the goals with the first detector that is there."""
    agents = Agents()
    detector, perception = first_detector(context, agents)
    todo = [one for one in settings(context) if one.labels[0] in perception.detector.labels]
    episodes = []
    with context.journal(NAME) as journal:
        player = Player(context, NAME, journal, perception, agents=agents)
        for number, setting in enumerate(todo, start=1):
            episodes.append(player.play(setting))
            context.progress(number, len(todo), f"{NAME}: {setting.title}")
        context.came_from(journal, NAME)
    return {"detector": detector, "episodes": episodes, "shown": chosen(episodes)}


def _draw(data: Data, folder: Path) -> list[Drawing]:
    row = data["episodes"][data["shown"]]
    shots = row["shots"]
    lines = -(-len(shots) // _A_LINE)
    columns = -(-len(shots) // lines)
    figure = new_figure(11.0, 6.8 / columns * lines + 2.2)
    # The certainty below the pictures, over the same steps.
    grid = figure.add_gridspec(lines + 1, columns, height_ratios=[*[1.0] * lines, 1.1])
    for i, shot in enumerate(shots):
        axes = figure.add_subplot(grid[i // columns, i % columns])
        show(axes, shot, folder)
        axes.set_title(
            f"{i}: {exposure_text(shot['exposure_us'])}, {focus_text(shot['focus_d'])}\n"
            f"score {shot['score']:.2f}",
            fontsize="small",
        )
    axes = figure.add_subplot(grid[lines, :])
    colour, marker, line = LOOKS[0]
    axes.plot(
        range(len(shots)), [shot["score"] for shot in shots], color=colour, marker=marker, linestyle=line
    )
    axes.axhline(MIN_SCORE, color="black", linestyle=":", linewidth=1.0)
    axes.annotate(
        "counts as found", (0.0, MIN_SCORE), xytext=(0, 3), textcoords="offset points", fontsize="small"
    )
    axes.set_xticks(range(len(shots)))
    axes.set_xlabel("picture (0: factory settings)")
    axes.set_ylabel("certainty [0..1]")
    axes.set_ylim(-0.05, 1.05)
    axes.grid(alpha=0.3)
    caption = (
        f"{row['title']} at {ILLUMINANCE_LX:g} lx, f/2, detector {data['detector']}. Above each picture: its "
        "number, the exposure, where the lens is focused, and the score of the object that was asked for."
    )
    return [Drawing(NAME, figure, caption)]


def _text(data: Data) -> str:
    episodes = data["episodes"]
    rises, steady = _risen(episodes)
    return paragraph(
        f"Every object of the scenes is looked for once at {ILLUMINANCE_LX:g} lx, by both agents of plus, "
        f"from the factory settings of camera (10 ms) and lens. In {rises} of {len(episodes)} episodes the "
        f"certainty is higher at the end than at the start, in {steady} it never falls on the way. The "
        "strip shows the one of these that found its object with the most pictures."
    )


def _risen(episodes: Sequence[Row]) -> tuple[int, int]:
    """In how many episodes the certainty is higher at the end than before, and in how many it never falls."""
    ends = [(row["shots"][0]["score"], row["shots"][-1]["score"]) for row in episodes]
    return sum(last > first for first, last in ends), sum(_never_falls(row["shots"]) for row in episodes)


def gains(row: Row) -> tuple[float, float]:
    """How much the certainty of an episode rose while A^H set the exposure, and while A^L moved the lens."""
    shots = row["shots"]
    exposed = [shot["score"] for shot in shots if shot["agent"] == "A^H"][-1]
    return exposed - shots[0]["score"], shots[-1]["score"] - exposed


def _claims(data: Data) -> list[Claim]:
    episodes = data["episodes"]
    rises, steady = _risen(episodes)
    by_exposure, by_lens = (fmean(values) for values in zip(*map(gains, episodes), strict=True))
    return [
        Claim(
            "V.B, Figure 5",
            "detection certainty increases as exposure and lens position approach their optimum",
            f"in {rises} of {len(episodes)} episodes it is higher at the end, in {steady} it never falls",
            rises == len(episodes),
        ),
        Claim(
            "Figure 5",
            "at f/2 the position of the lens matters more than the exposure",
            f"mean rise of the certainty: {by_exposure:.2f} while A^H acts, {by_lens:.2f} while A^L does, "
            "who comes second",
            by_lens > by_exposure,
        ),
    ]


def _never_falls(shots: Sequence[Row]) -> bool:
    return all(b["score"] >= a["score"] for a, b in pairwise(shots))


def _after(data: Data) -> str:
    head = (
        "object",
        "ends with",
        "pictures",
        "score before",
        "score after",
        "blur before [px]",
        "blur after [px]",
    )
    return table(head, [_line(row) for row in data["episodes"]])


def _line(row: Row) -> list[str]:
    first, last = row["shots"][0], row["shots"][-1]
    return [
        row["title"], "found" if row["code"] == "NONE" else row["code"], str(len(row["shots"])),
        f"{first['score']:.2f}", f"{last['score']:.2f}", f"{first['blur_px']:.1f}", f"{last['blur_px']:.1f}",
    ]  # fmt: skip


PART = Part(
    name=NAME,
    title="Figure 5: certainty rises while exposure and lens are set",
    place=50,
    shows=("Figure 5",),
    compute=compute,
    rows=lambda data: shot_rows(data["episodes"]),
    draw=_draw,
    text=_text,
    after=_after,
    claims=_claims,
)
