"""Figure 7: latents over exposure and focus at 37 lx, detected or not, with DASHA off and on."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dasha_ros.benchmark.episodes import HEIGHT, WIDTH
from dasha_ros.benchmark.paper.html import items, paragraph, table
from dasha_ros.benchmark.paper.off_the_shelf import present
from dasha_ros.benchmark.paper.part import Claim, Context, Data, Drawing, Part, PartMissingError
from dasha_ros.benchmark.paper.parts.latents import acted
from dasha_ros.benchmark.paper.parts.latents.boundary import boundary, direction, moved, plane
from dasha_ros.benchmark.paper.parts.latents.figure import draw_plane, draw_settings
from dasha_ros.benchmark.paper.parts.latents.grid import Column, Grid, GridRig, keep, kept, look
from dasha_ros.benchmark.paper.parts.recall.measure import MIN_SCORE, Agents
from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.trials.journal import key_of
from dasha_ros.control.twin_rig import TwinRig
from dasha_ros.estimation.readout import GRID_ENCODER
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.optics.profiles import lens_model
from dasha_ros.perception.detectors import Detector
from dasha_ros.perception.detectors.elsewhere import Elsewhere
from dasha_ros.perception.encoders.joint import SEPARATOR, part
from dasha_ros.perception.pipeline import Perception
from dasha_ros.twin.scene import load_scene
from dasha_ros.twin.world import World

NAME = "latents"
ILLUMINANCE_LX = 37.0
SCENE, LABEL = "motorcycle_street", "motorcycle"
ENCODER = "efficientnet_lite0"
"""Its latents are shown: those of the last layer, as in Eq. 5."""
FULL, QUICK = (40, 100, 0.0, 0.25), (8, 10, 1_000.0, 0.5)
"""Numbers of exposures and of lens positions, the least exposure [us], and where the nearest focus lies [m].

A quick run covers less, so that its points lie as close that the agents can act on them."""
DIFFERENT = 0.1
"""From this difference between exposures on, in the share of pictures with a detection, they count as
different."""
_FORMAT = 2


def grid_of(context: Context) -> Grid:
    """Evenly over A^H's table and the lens's range, as `FULL` or `QUICK` say."""
    exposures, positions, least_us, nearest_m = QUICK if context.quick else FULL
    table, lens = exposure_table(), lens_model()
    steps = np.linspace(table.nearest(max(least_us, table.t_min_us)), len(table) - 1, exposures)
    low, high = lens.focus_range(nearest_m)
    scene = load_scene(SCENE)
    return Grid(
        World(SCENE, ILLUMINANCE_LX, scene.distances_m),
        LABEL,
        tuple(table.exposure_us(round(float(step))) for step in steps),
        tuple(float(position) for position in np.linspace(low, high, positions)),
        (WIDTH, HEIGHT),
        context.seed,
    )


def compute(context: Context) -> Data:
    """Take the pictures of the grid, and let both agents act from every point, with every detector."""
    detectors, missing = present(context)
    detectors = {name: detector for name, detector in detectors.items() if LABEL in detector.labels}
    for name, why in missing.items():
        context.note(f"{name} is left out: {why}")
    if not detectors:
        raise PartMissingError(f"no detector could be loaded: {'; '.join(missing.values())}")
    grid, agents = grid_of(context), Agents()
    networks = {name: detector.id for name, detector in detectors.items()}
    pictures = key_of(_FORMAT, asdict(grid), networks)
    name = key_of(pictures, agents.digest)
    with context.journal(NAME) as journal:
        row = journal.take(name, {"points"})
        if row is None:
            taken = context.folder / f"{NAME}-taken-{pictures}"
            columns = _columns(context, grid, taken, detectors)
            row = journal.add(name, {"points": _points(context, grid, columns, agents)})
            shutil.rmtree(taken, ignore_errors=True)
        context.came_from(journal, NAME)
    return {"missing": missing, **row["points"]}


def _columns(context: Context, grid: Grid, taken: Path, detectors: dict[str, Detector]) -> list[Column]:
    """Take the pictures that an interrupted run did not take."""
    columns: list[Column] = []
    rig: TwinRig | None = None
    perception = Perception(f"{ENCODER}{SEPARATOR}{GRID_ENCODER}", Elsewhere("each detector in turn"))
    for number in range(len(grid.positions)):
        path = taken / f"{number:03d}.npz"
        column = kept(path, detectors)
        if column is None:
            if rig is None:
                width, height = grid.size
                rig = TwinRig(perception, grid.world, width=width, height=height)
            keep(look(rig, perception, grid, number, detectors), path)
            # What goes on later is what is read back, so that an interruption changes nothing.
            column = kept(path, detectors)
            assert column is not None
        columns.append(column)
        context.progress(number + 1, len(grid.positions), f"{NAME}: pictures")
    return columns


def _points(context: Context, grid: Grid, columns: list[Column], agents: Agents) -> Data:
    names = list(columns[0])
    latents = np.stack(
        [part(percept.latent, percept.encoder, ENCODER) for column in columns for percept in column[names[0]]]
    )
    found: dict[str, dict[str, list[bool]]] = {}
    for number, name in enumerate(names, start=1):
        rig = GridRig(grid, [column[name] for column in columns], lens_model(), exposure_table())
        off, on = acted.off(rig, LABEL, MIN_SCORE), acted.on(rig, agents, LABEL, MIN_SCORE)
        found[name] = {"off": off.ravel().tolist(), "on": on.ravel().tolist()}
        context.progress(number, len(names), f"{NAME}: agents")
    at, shares = plane(latents)
    # What is detected lies to the left, as in the paper's figure.
    first = np.array(found[names[0]]["off"])
    if first.any() and at[first, 0].mean() > at[:, 0].mean():
        at[:, 0] *= -1.0
    lens = lens_model()
    return {
        "shares": [round(float(share), 4) for share in shares],
        "exposures_us": list(grid.exposures_us),
        "focus_d": [round(lens.dioptres(position), 4) for position in grid.positions],
        "plane": np.round(at, 4).tolist(),
        "found": found,
        "boundaries": {name: _boundaries(at, each) for name, each in found.items()},
    }


def _boundaries(at: NDArray[np.float64], found: dict[str, list[bool]]) -> Data:
    off, on = np.array(found["off"]), np.array(found["on"])
    across = direction(at, off)
    lines = {"off": boundary(at, off, across), "on": boundary(at, on, across)}
    return {
        **{when: asdict(line) for when, line in lines.items()},
        "moved_sd": round(moved(at, lines["off"], lines["on"]), 3),
    }


def _rows(data: Data) -> list[Row]:
    places = [(focus, exposure) for focus in data["focus_d"] for exposure in data["exposures_us"]]
    return [
        {
            "exposure_us": exposure, "focus_d": focus, "pc_1": x, "pc_2": y,
            **{
                f"{name}_{when}": int(found[when][i])
                for name, found in data["found"].items()
                for when in ("off", "on")
            },
        }
        for i, ((focus, exposure), (x, y)) in enumerate(zip(places, data["plane"], strict=True))
    ]  # fmt: skip


def _draw(data: Data, folder: Path) -> list[Drawing]:
    first = (
        f"Each dot is a picture of {SCENE} at {ILLUMINANCE_LX:g} lx with its own exposure and focus, in the "
        f"plane of the first two principal components of the latents ({ENCODER}). Squares: the {LABEL} is "
        f"found at a score of {MIN_SCORE:g}; crosses: it is not. Right: after both agents acted from there. "
        "The line has as many dots on its near side as are found; the arrow shows how far it moves."
    )
    second = "The same pictures over what was varied: exposure and focus."
    return [
        Drawing(f"{NAME}_plane", draw_plane(data), first),
        Drawing(f"{NAME}_settings", draw_settings(data), second),
    ]


def _text(data: Data) -> str:
    count = len(data["plane"])
    exposures, positions = len(data["exposures_us"]), len(data["focus_d"])
    nearest = f"{1.0 / max(data['focus_d']):.2g}"
    return paragraph(
        f"{count} pictures: {exposures} exposures of A^H's table times {positions} lens positions from "
        f"infinity to {nearest} m. From each, both agents of plus act on the pictures of the same grid: "
        "what they ask for is answered by the picture taken nearest to it. So the lens has no play here, "
        "and a picture that is taken twice has the same noise."
    )


def _after(data: Data) -> str:
    head = (
        "detector", "found, off", "found, on", "boundary moves by [standard deviations]",
        "right side of it, off", "right side, on",
    )  # fmt: skip
    lines = []
    for name, found in data["found"].items():
        lines_of = data["boundaries"][name]
        shares = [f"{100 * float(np.mean(found[when])):.0f} %" for when in ("off", "on")]
        right = [f"{100 * lines_of[when]['right']:.0f} %" for when in ("off", "on")]
        lines.append((name, *shares, f"{lines_of['moved_sd']:.2f}", *right))
    absent = [f"{name}: {why}" for name, why in data["missing"].items()] or ["none"]
    return f"{table(head, lines)}\n<h3>Detectors that were missing</h3>\n{items(absent)}"


def _claims(data: Data) -> list[Claim]:
    shares = {
        name: [float(np.mean(found[when])) for when in ("off", "on")] for name, found in data["found"].items()
    }
    moves = {name: data["boundaries"][name]["moved_sd"] for name in shares}
    by_exposure = {name: _by_exposure(data, name) for name in shares}
    return [
        Claim(
            "VI, Figure 7",
            "the detection boundary moves when DASHA is on: more pictures are detected",
            ", ".join(
                f"{name}: {100 * off:.0f} % of {len(data['plane'])} pictures off, {100 * on:.0f} % on, "
                f"boundary moved by {moves[name]:.2f} standard deviations"
                for name, (off, on) in shares.items()
            ),
            all(on > off and moves[name] > 0.0 for name, (off, on) in shares.items()),
        ),
        Claim(
            "VI",
            "at different exposure times the detectors detect objects differently",
            "found with DASHA off, in the worst and in the best exposure: "
            + ", ".join(
                f"{name} {100 * low:.0f} and {100 * high:.0f} %" for name, (low, high) in by_exposure.items()
            ),
            all(high - low >= DIFFERENT for low, high in by_exposure.values()),
        ),
    ]


def _by_exposure(data: Data, name: str) -> tuple[float, float]:
    """The least and the greatest share of pictures of one exposure in which a detector finds the object."""
    off = np.array(data["found"][name]["off"]).reshape(len(data["focus_d"]), -1)
    shares = off.mean(axis=0)
    return float(shares.min()), float(shares.max())


PART = Part(
    name=NAME,
    title="Figure 7: what is detected, in the plane of the latents",
    place=70,
    shows=("Figure 7",),
    compute=compute,
    rows=_rows,
    draw=_draw,
    text=_text,
    after=_after,
    claims=_claims,
)
