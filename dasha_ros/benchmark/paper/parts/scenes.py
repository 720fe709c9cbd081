"""Figure 9: pictures before and after, indoors and outdoors, dark, over-exposed and out of focus."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dasha_ros.benchmark.episodes import Goal
from dasha_ros.benchmark.paper.drawing import new_figure
from dasha_ros.benchmark.paper.html import paragraph, table
from dasha_ros.benchmark.paper.panels import exposure_text, focus_text, show
from dasha_ros.benchmark.paper.part import Claim, Context, Data, Drawing, Part
from dasha_ros.benchmark.paper.parts.recall.measure import MIN_SCORE, Agents, start_position
from dasha_ros.benchmark.paper.player import Player, Setting, first_detector, shot_rows
from dasha_ros.benchmark.rows import Row
from dasha_ros.optics.lens import LensModel
from dasha_ros.twin.scene import load_scene
from dasha_ros.twin.world import FACTORY_EXPOSURE_US, World

NAME = "scenes"


@dataclass(frozen=True)
class Case:
    """How a picture is spoilt at the start."""

    name: str
    illuminance_lx: float
    exposure_us: float
    defocus_d: float
    """How far from the object the lens is focused [1/m]."""


CASES = (
    Case("dark", 20.0, FACTORY_EXPOSURE_US, 0.0),
    Case("over-exposed", 300.0, 200_000.0, 0.0),
    Case("out of focus", 100.0, 30_000.0, 2.0),
)
PLACES = {"indoors": Goal("motorcycle_garage", "motorcycle"), "outdoors": Goal("street", "bus")}


def setting(place: str, case: Case, lens: LensModel, seed: int) -> Setting:
    """A goal at one of `PLACES` that begins as one of `CASES`."""
    goal = PLACES[place]
    scene = load_scene(goal.scene)
    target = 1.0 / scene.object_distances(goal.label)[0]
    return Setting(
        f"{place}, {case.name}",
        World(goal.scene, case.illuminance_lx, scene.distances_m),
        (goal.label,),
        start_position(lens, target, case.defocus_d),
        case.exposure_us,
        seed,
    )


def compute(context: Context) -> Data:
    """Play every case at every place, with the first detector that is there."""
    agents = Agents()
    detector, perception = first_detector(context, agents)
    episodes = []
    with context.journal(NAME) as journal:
        player = Player(context, NAME, journal, perception, agents=agents)
        for place, goal in PLACES.items():
            lens = player.rig(goal.scene).lens
            for case in CASES:
                episodes.append(player.play(setting(place, case, lens, context.seed)))
                context.progress(len(episodes), len(PLACES) * len(CASES), f"{NAME}: {episodes[-1]['title']}")
        context.came_from(journal, NAME)
    return {"detector": detector, "episodes": episodes}


def _draw(data: Data, folder: Path) -> list[Drawing]:
    episodes = data["episodes"]
    columns = len(CASES)
    figure = new_figure(3.5 * columns, 2.35 * 2 * len(PLACES))
    panels = figure.subplots(2 * len(PLACES), columns, squeeze=False)
    for i, row in enumerate(episodes):
        for below, (when, shot) in enumerate((("before", row["shots"][0]), ("after", row["shots"][-1]))):
            axes = panels[2 * (i // columns) + below][i % columns]
            show(axes, shot, folder)
            axes.set_title(
                f"{row['title']}: {when}\n{exposure_text(shot['exposure_us'])}, "
                f"{focus_text(shot['focus_d'])}, score {shot['score']:.2f}",
                fontsize="small",
            )
    caption = (
        f"Before and after both agents acted; detector {data['detector']}. Above each picture: exposure, "
        "where the lens is focused, and the score of the object that was asked for; its box is drawn in."
    )
    return [Drawing(NAME, figure, caption)]


def _text(data: Data) -> str:
    before, after = _found(data)
    cases = "; ".join(
        f"{case.name}: {case.illuminance_lx:g} lx, {exposure_text(case.exposure_us)}, "
        f"{f'{case.defocus_d:g} dioptres out of focus' if case.defocus_d else 'in focus'}"
        for case in CASES
    )
    return paragraph(
        f"A motorcycle in a garage and a bus in a street begin badly ({cases}), and both agents of plus act. "
        f"The object is found in {before} of {len(data['episodes'])} pictures before, in {after} after."
    )


def _found(data: Data) -> tuple[int, int]:
    """In how many pictures the object is found before and after."""
    ends = [(row["shots"][0]["score"], row["shots"][-1]["score"]) for row in data["episodes"]]
    return sum(first >= MIN_SCORE for first, _ in ends), sum(last >= MIN_SCORE for _, last in ends)


def _claims(data: Data) -> list[Claim]:
    before, after = _found(data)
    count = len(data["episodes"])
    return [
        Claim(
            "VI, Figure 9",
            "over-exposed, under-exposed and blurry pictures are adjusted, and the object is detected",
            f"found in {before} of {count} pictures before, in {after} after",
            after == count,
        )
    ]


def _after(data: Data) -> str:
    head = ("scene", "ends with", "pictures", "exposure", "mean grey", "BRISQUE", "blur [px]", "score")
    return table(head, [_line(row) for row in data["episodes"]])


def _line(row: Row) -> list[str]:
    first, last = row["shots"][0], row["shots"][-1]

    def change(key: str, digits: int) -> str:
        return f"{first[key]:.{digits}f} to {last[key]:.{digits}f}"

    return [
        row["title"], "found" if row["code"] == "NONE" else row["code"], str(len(row["shots"])),
        f"{exposure_text(first['exposure_us'])} to {exposure_text(last['exposure_us'])}",
        change("mean_grey", 0), change("brisque", 0), change("blur_px", 1), change("score", 2),
    ]  # fmt: skip


PART = Part(
    name=NAME,
    title="Figure 9: scenes before and after",
    place=90,
    shows=("Figure 9",),
    compute=compute,
    rows=lambda data: shot_rows(data["episodes"]),
    draw=_draw,
    text=_text,
    after=_after,
    claims=_claims,
)
