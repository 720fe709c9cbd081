"""The benchmark of the object's own light: what its rows say, and what the committed ones do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from dasha_ros.benchmark.object_light.lit_scenes import OBJECTS, Lighting, lightings, lit_scene
from dasha_ros.benchmark.object_light.play import ObjectLightRow, as_json, summary
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.twin.scene import load_scene

ROWS = Path(__file__).resolve().parents[2] / "docs" / "results" / "object-light.json"


def row(score: float, *, meters: bool, scene: str = "cat_pagoda", code: int = 0) -> ObjectLightRow:
    return ObjectLightRow(scene, "cat", "even", "oracle", meters, 0, code, score, 0.8, 2, 1, 0.1)


def test_a_score_counts_as_a_share_of_the_best_one():
    rows = [
        row(0.4, meters=False),
        row(0.9, meters=True),
        row(0.6, meters=True, scene="cup_street", code=202),
    ]
    picture, thing = summary(rows)
    assert (picture["score, of the best"], picture["found"]) == ("50.0%", "100.0%")
    assert (thing["score, of the best"], thing["worst scene"], thing["found"]) == ("87.5%", "75.0%", "50.0%")


def test_object_and_background_get_their_light(tmp_path):
    assert [light.name for light in lightings((8.0,))] == ["even", "backlit 8 times", "lit 8 times"]
    for name, label in OBJECTS:
        scene = load_scene(lit_scene(name, Lighting("", 2.0, 8.0), tmp_path))
        assert [layer.light for layer in scene.layers] == [2.0] + [8.0] * (len(scene.layers) - 1)
        assert scene.distances_m == load_scene(name).distances_m
        assert scene.objects[0].label == label
        assert scene.objects[0].layer == 0


def test_in_the_committed_goals_the_object_is_seen_better_in_any_light_of_its_own():
    rows = [ObjectLightRow(**values) for values in json.loads(ROWS.read_text(encoding="utf-8"))]
    assert as_json(rows) == json.loads(ROWS.read_text(encoding="utf-8"))

    def mean(lighting: str, focus: str, *, meters: bool) -> float:
        shares = [r.share for r in rows if (r.lighting, r.focus, r.meters) == (lighting, focus, meters)]
        return float(np.mean(shares))

    for light in ("backlit 8 times", "backlit 30 times", "lit 8 times", "lit 30 times"):
        assert mean(light, "oracle", meters=True) > mean(light, "oracle", meters=False) + 0.1
    assert mean("even", "oracle", meters=True) >= mean("even", "oracle", meters=False)
    even = [r for r in rows if r.lighting == "even"]
    assert all(r.code == ErrorCode.NONE for r in even)
