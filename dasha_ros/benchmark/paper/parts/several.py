"""Figure 6: three and four objects 0.5 m apart; all are asked for, and then each by its label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from dasha_ros.assets.catalogue import AssetMissing
from dasha_ros.benchmark.paper.drawing import LOOKS, new_figure
from dasha_ros.benchmark.paper.html import paragraph, table
from dasha_ros.benchmark.paper.panels import focus_text, show
from dasha_ros.benchmark.paper.part import Claim, Context, Data, Drawing, Part, PartMissingError
from dasha_ros.benchmark.paper.parts.recall.measure import Agents
from dasha_ros.benchmark.paper.player import Player, Setting, first_detector
from dasha_ros.benchmark.rows import Row
from dasha_ros.devices.errors import DeviceError
from dasha_ros.optics.lens import LensModel
from dasha_ros.system.paths import config_dir
from dasha_ros.twin.scene import Scene, load_scene
from dasha_ros.twin.world import FACTORY_EXPOSURE_US, World

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAME = "several"
SCENES = {"three objects": "three_objects.yaml", "four objects": "four_objects.yaml"}
"""Files in ``config/paper``. They are no shipped scenes: their cut-outs come with the training set."""
ILLUMINANCE_LX = 100.0
ALL = "all"
"""The prompt that names no label."""
_STARTS = 10
_COLOURS = [LOOKS[n][0] for n in (0, 1, 3, 5)]
"""Without black, on which no hatching can be seen."""
_SIDE = 0.8
"""Width of the bars of a prompt, together."""


def prompts(scene: Scene) -> list[str]:
    """What is asked for: all objects, then each of them."""
    return [ALL, *scene.labels]


def setting(path: Path, prompt: str, position: float, seed: int) -> Setting:
    """A goal for a prompt that begins with the lens at a position, and the factory exposure."""
    scene = load_scene(path)
    return Setting(
        prompt,
        World(str(path), ILLUMINANCE_LX, scene.distances_m),
        () if prompt == ALL else (prompt,),
        position,
        FACTORY_EXPOSURE_US,
        seed,
    )


def starts(lens: LensModel, quick: bool) -> list[float]:
    """Positions at the start: evenly over the lens's range, or its least one alone."""
    count = 1 if quick else _STARTS
    return [float(position) for position in np.linspace(lens.position_min, lens.position_max, count)]


def compute(context: Context) -> Data:
    """Ask for everything in both scenes, with the first detector that is there."""
    agents = Agents()
    detector, perception = first_detector(context, agents)
    scenes: dict[str, list[Row]] = {}
    with context.journal(NAME) as journal:
        player = Player(context, NAME, journal, perception, agents=agents)
        for title, file in SCENES.items():
            path = config_dir() / "paper" / file
            try:
                lens = player.rig(str(path)).lens
            except (AssetMissing, DeviceError) as error:
                raise PartMissingError(str(error)) from error
            places = starts(lens, context.quick)
            todo = [(prompt, place) for prompt in prompts(load_scene(path)) for place in places]
            scenes[title] = []
            for number, (prompt, place) in enumerate(todo, start=1):
                scenes[title].append(player.play(setting(path, prompt, place, context.seed)))
                context.progress(number, len(todo), f"{NAME}, {title}: {prompt}")
        context.came_from(journal, NAME)
    distances = {title: _distances(config_dir() / "paper" / file) for title, file in SCENES.items()}
    return {"detector": detector, "distances_m": distances, "scenes": scenes}


def _distances(path: Path) -> dict[str, float]:
    scene = load_scene(path)
    return {label: scene.object_distances(label)[0] for label in scene.labels}


def scores(rows: Sequence[Row], prompt: str, label: str) -> list[float]:
    """Scores of an object at the end of each goal for a prompt."""
    return [row["shots"][-1]["scores"][label] for row in rows if row["title"] == prompt]


def _rows(data: Data) -> list[Row]:
    return [
        {
            "scene": title,
            "asked_for": row["title"],
            "code": row["code"],
            "start": row["shots"][0]["position"],
            "object": label,
            "distance_m": data["distances_m"][title][label],
            "score": score,
            "focus_d": row["shots"][-1]["focus_d"],
        }
        for title, rows in data["scenes"].items()
        for row in rows
        for label, score in row["shots"][-1]["scores"].items()
    ]


def _draw(data: Data, folder: Path) -> list[Drawing]:
    drawings = []
    for title, rows in data["scenes"].items():
        caption = (
            f"{title.capitalize()} 0.5 m apart at {ILLUMINANCE_LX:g} lx, detector {data['detector']}. Above: "
            "the last picture of the first start, with where the lens is focused; the box is the best object "
            "that was asked for. Below: the score of every object; what was asked for is hatched. Bars are "
            "means over the starts, whiskers the least and the greatest."
        )
        name = f"{NAME}_{title.replace(' ', '_')}"
        drawings.append(Drawing(name, _figure(rows, data["distances_m"][title], folder), caption))
    return drawings


def _figure(rows: Sequence[Row], distances: Mapping[str, float], folder: Path) -> Figure:
    asked = list(dict.fromkeys(row["title"] for row in rows))
    figure = new_figure(11.0, 5.2)
    grid = figure.add_gridspec(2, len(asked), height_ratios=[1.0, 1.6])
    for i, prompt in enumerate(asked):
        shot = next(row for row in rows if row["title"] == prompt)["shots"][-1]
        axes = figure.add_subplot(grid[0, i])
        show(axes, shot, folder)
        axes.set_title(f"asked for: {prompt}\n{focus_text(shot['focus_d'])}", fontsize="small")
    _bars(figure.add_subplot(grid[1, :]), rows, asked, distances)
    return figure


def _bars(axes: Axes, rows: Sequence[Row], asked: Sequence[str], distances: Mapping[str, float]) -> None:
    width = _SIDE / len(distances)
    for n, (label, distance) in enumerate(distances.items()):
        values = [scores(rows, prompt, label) for prompt in asked]
        means = [fmean(each) for each in values]
        spread = [
            [mean - min(each) for mean, each in zip(means, values, strict=True)],
            [max(each) - mean for mean, each in zip(means, values, strict=True)],
        ]
        whiskers = spread if len(values[0]) > 1 else None
        aside = (n + 0.5) * width - _SIDE / 2
        bars = axes.bar(
            [i + aside for i in range(len(asked))], means, width * 0.92, yerr=whiskers,
            color=_COLOURS[n], alpha=0.75, edgecolor="black", linewidth=0.6, capsize=2,
            label=f"{n + 1}: {label} at {distance:g} m",
        )  # fmt: skip
        for bar, prompt in zip(bars, asked, strict=True):
            if prompt == label:
                bar.set_hatch("///")
                bar.set_linewidth(2.0)
            # The number tells the bars apart on grey paper.
            axes.annotate(
                str(n + 1), (bar.get_x() + bar.get_width() / 2, 0.0), xytext=(0, -10),
                textcoords="offset points", ha="center", fontsize="x-small",
            )  # fmt: skip
    axes.set_xticks(range(len(asked)), asked)
    axes.tick_params(axis="x", length=0, pad=18)
    axes.set_xlabel("asked for")
    axes.set_ylabel("score at the end [0..1]")
    axes.set_ylim(0.0, 1.05)
    axes.grid(alpha=0.3, axis="y")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.16), ncols=len(distances), fontsize="small")


def asked_against_not(rows: Sequence[Row], label: str) -> tuple[float, float]:
    """Mean score of an object where it was asked for by its label, and where another one was."""
    others = [row["title"] for row in rows if row["title"] not in (label, ALL)]
    return fmean(scores(rows, label, label)), fmean(
        score for other in dict.fromkeys(others) for score in scores(rows, other, label)
    )


def _after(data: Data) -> str:
    head = ("scene", "object", "distance", "asked for by label", "another asked for", "all asked for")
    lines = []
    for title, rows in data["scenes"].items():
        for label, distance in data["distances_m"][title].items():
            own, other = asked_against_not(rows, label)
            every = fmean(scores(rows, ALL, label))
            lines.append((title, label, f"{distance:g} m", f"{own:.2f}", f"{other:.2f}", f"{every:.2f}"))
    return table(head, lines)


def _text(data: Data) -> str:
    better, pairs = _better(data)
    count = len({row["start"] for row in _rows(data)})
    return paragraph(
        "Objects stand 0.5, 1.0, 1.5 and 2.0 m away. Both agents of plus look for all of them, and for each "
        f"by its label, from {count} lens position{'s' * (count > 1)} and the factory exposure. {better} of "
        f"{pairs} objects score higher when they are asked for than when another one is."
    )


def _better(data: Data) -> tuple[int, int]:
    """How many objects score higher when they are asked for than when another is, of how many."""
    pairs = [
        asked_against_not(rows, label)
        for title, rows in data["scenes"].items()
        for label in data["distances_m"][title]
    ]
    return sum(own > other for own, other in pairs), len(pairs)


def ends_on_the_best(rows: Sequence[Row]) -> tuple[int, int]:
    """How many goals for all objects end with the object ahead that scores highest of all when asked for."""
    every = [row["shots"][-1]["scores"] for row in rows if row["title"] == ALL]
    best = max(every[0], key=lambda label: fmean(scores(rows, label, label)))
    return sum(max(found, key=lambda label: found[label]) == best for found in every), len(every)


def _claims(data: Data) -> list[Claim]:
    better, pairs = _better(data)
    best = {title: ends_on_the_best(rows) for title, rows in data["scenes"].items()}
    told = ", ".join(f"{count} of {total} with {title}" for title, (count, total) in best.items())
    return [
        Claim(
            "Figure 6",
            "asked for one label, the agents adjust the camera for the greatest score of that object",
            f"{better} of {pairs} objects score higher when they are asked for than when another one is",
            better == pairs,
        ),
        Claim(
            "Figure 6",
            "asked for all, it focuses on the object with the highest score",
            "goals that end on the object that scores highest when it is asked for: "
            f"{told}; the others end on another one",
            all(count == total for count, total in best.values()),
        ),
    ]


PART = Part(
    name=NAME,
    title="Figure 6: several objects, all or one by its label",
    place=60,
    shows=("Figure 6",),
    compute=compute,
    rows=_rows,
    draw=_draw,
    text=_text,
    after=_after,
    claims=_claims,
)
