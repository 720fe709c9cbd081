"""The benchmark of holding: its sequences, its clock, and that its players differ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.benchmark.hold.play import OBJECTS, as_json, play, sequences, summary
from dasha_ros.benchmark.hold.rig import Blind
from dasha_ros.benchmark.hold.sequence import DEPTH, FARTHEST_M, NEAREST_M, START_M, Sequence
from dasha_ros.perception.pipeline import Perception
from dasha_ros.policies.selection import Region

ROOT = Path(__file__).resolve().parents[3]


@given(st.floats(0.0, 600.0), st.floats(0.01, 0.5), st.floats(1e-3, 0.1))
def test_the_object_stays_in_its_range_at_its_speed(at, speed, later):
    moving = Sequence("cup_street", "cup", speed)
    here, there = moving.distance_m(at), moving.distance_m(at + later)
    assert NEAREST_M <= here <= FARTHEST_M
    assert abs(there - here) <= speed * later + 1e-9
    assert moving.distance_m(0.0) == pytest.approx(START_M)


@pytest.mark.parametrize("light", ["50 Hz", "60 Hz"])
@given(st.floats(0.0, 10.0), st.floats(1e-4, 0.05))
def test_the_brightness_of_a_flickering_lamp_is_its_mean_over_the_exposure(light, begin, exposure):
    lamp = Sequence("cup_street", "cup", light=light)
    pulse = 4.0 * np.pi * float(light.split()[0])
    times = np.linspace(begin, begin + exposure, 4001)
    expected = 1.0 + DEPTH * np.trapezoid(np.cos(pulse * times), times) / exposure
    assert lamp.brightness(begin, exposure) == pytest.approx(expected, abs=2e-3)


def test_the_light_steps_by_four_both_ways():
    lamp = Sequence("cup_street", "cup", light="steps")
    assert [lamp.brightness(at, 0.01) for at in (1.0, 6.0, 11.0, 16.0, 21.0)] == [1.0, 0.25, 1.0, 4.0, 1.0]


def test_every_sequence_is_there_once_for_each_scene():
    found = list(sequences(60.0, 600.0))
    assert len(found) == len(set(found)) == 4 * 11


def test_hold_keeps_sharp_what_nobody_else_does():
    blind = Perception(Blind(), Blind())
    region = Region(0.66, 0.3, 0.96, 0.92)
    moving = Sequence("cup_street", "cup", 0.5, seconds=3.0)
    played = [play(player, moving, region, blind) for player in ("hold", "nobody")]
    held, nobody = played
    assert held.sharp_share >= 0.85 > nobody.sharp_share
    assert held.frames == nobody.frames == pytest.approx(45, abs=1)
    assert nobody.moves == 0 < held.moves
    assert [line["player"] for line in summary(played)] == ["hold", "nobody"]
    assert as_json(played)[0]["sharp_share"] == held.sharp_share
    with pytest.raises(ValueError, match="no player 'me'"):
        play("me", moving, region, blind)


def rows(name: str) -> list[dict[str, Any]]:
    return json.loads((ROOT / "docs/results" / name).read_text(encoding="utf-8"))


def test_the_table_of_the_documentation_is_that_of_the_results():
    text = (ROOT / "docs/benchmark.md").read_text().split("## Holding a focus")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    lights = {"steady": "steady", "steps by 4 times": "steps"}
    lights |= {"flickers at 100 Hz": "50 Hz", "flickers at 120 Hz": "60 Hz"}
    found = rows("hold.json")
    assert len(lines) == 10
    assert len(found) == 10 * 4 * len(OBJECTS)
    for line in lines:
        thing, light, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        speed = 0.0 if thing == "still" else float(thing.split()[0])
        for player, cell in zip(("hold", "libcamera_window", "libcamera", "nobody"), cells, strict=True):
            some = [
                r
                for r in found
                if (r["speed_m_s"], r["light"], r["player"]) == (speed, lights[light], player)
            ]
            assert {r["scene"] for r in some} == {scene for scene, _ in OBJECTS}
            shares = [100.0 * r["sharp_share"] for r in some]
            moves = sum(r["moves"] for r in some)
            assert cell == f"{np.mean(shares):.1f} %, {min(shares):.1f} %, {moves}"


@pytest.mark.parametrize(("speed", "least"), [(0.1, 0.95), (0.5, 0.85)])
def test_every_moving_object_was_sharp_as_often_as_promised(speed: float, least: float) -> None:
    held = [r for r in rows("hold.json") if r["player"] == "hold" and r["speed_m_s"] == speed]
    assert {r["scene"] for r in held} == {scene for scene, _ in OBJECTS}
    assert min(r["sharp_share"] for r in held) >= least


def test_nothing_moved_in_ten_minutes_of_a_still_scene() -> None:
    still = [r for r in rows("hold-still.json") if r["seconds"] == 600.0]
    assert {r["scene"] for r in still} == {scene for scene, _ in OBJECTS}
    assert {(r["moves"], r["exposures"], r["sharp_share"]) for r in still} == {(0, 0, 1.0)}
    assert min(r["frames"] for r in still) > 8_900
