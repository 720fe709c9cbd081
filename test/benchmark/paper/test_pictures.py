"""Figures 5, 6 and 9 on a small twin: what is played, kept, told and drawn."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from dasha_ros.benchmark.paper import player
from dasha_ros.benchmark.paper.part import Context, PartMissingError
from dasha_ros.benchmark.paper.parts import scenes, several, strip
from dasha_ros.benchmark.paper.run import ReportError, run_part
from dasha_ros.perception.errors import ModelError

SIZE = (640, 340)
MADE = {"command": "dasha"}


@pytest.fixture
def context(tmp_path, monkeypatch, fetched):
    for name in ("photos/chelsea.png", "photos/bus.jpg", "models/yolov3-tiny.onnx"):
        fetched(name)
    monkeypatch.setattr(player.Player.__init__, "__kwdefaults__", {"size": SIZE, "agents": None})
    return Context(tmp_path, quick=True, detectors=("yolov3_tiny",))


def test_the_strip_shows_an_episode_whose_certainty_rises_and_is_not_played_twice(context, monkeypatch):
    monkeypatch.setattr(strip, "_QUICK", ("cat",))
    assert run_part(strip.PART, context, MADE)
    data = strip.compute(context)
    (row,) = data["episodes"]
    scores = [shot["score"] for shot in row["shots"]]
    assert row["code"] == "NONE"
    assert scores[0] == 0.0
    assert scores[-1] >= 0.3
    assert row["shots"][-1]["blur_px"] < 2.0 < row["shots"][0]["blur_px"]
    assert [shot["agent"] for shot in row["shots"]][:2] == ["A^H", "A^H"]
    assert "In 1 of 1 episodes the certainty is higher at the end" in strip.PART.text(data)
    rows = list(csv.DictReader((context.folder / "strip.csv").open()))
    assert [float(line["score"]) for line in rows] == scores
    assert (context.folder / "strip.png").read_bytes().startswith(b"\x89PNG")
    # An episode whose pictures were removed is played again; until then the figure says what to do.
    picture = context.folder / row["shots"][0]["picture"]
    picture.unlink()
    with pytest.raises(ReportError, match="run the same command again"):
        strip.PART.draw(data, context.folder)
    assert strip.compute(context) == data
    whole = picture.read_bytes()
    picture.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ReportError, match="run the same command again"):
        strip.PART.draw(data, context.folder)
    assert run_part(strip.PART, context, MADE), "a damaged picture is made anew, too"
    assert picture.read_bytes() == whole


def episode(code, *scores):
    return {"title": "x", "code": code, "shots": [{"score": score} for score in scores]}


def test_the_longest_episode_whose_certainty_rises_is_shown():
    played = [
        episode("NONE", 0.0, 0.5),
        episode("NONE", 0.0, 0.2, 0.6),
        episode("NONE", 0.0, 0.7, 0.1, 0.8),
        episode("NOT_FOUND", *[0.0] * 9),
    ]
    assert strip.chosen(played) == 1
    assert strip.chosen([*played, played[1]]) == 1
    assert strip.chosen(played[2:]) == 0
    assert strip.chosen(played[3:]) == 0


def test_a_spoilt_picture_is_dark_bright_or_blurred_before_and_right_after(context, monkeypatch):
    monkeypatch.setattr(scenes, "PLACES", {"outdoors": scenes.PLACES["outdoors"]})
    assert run_part(scenes.PART, context, MADE)
    data = scenes.compute(context)
    first = {row["title"]: row["shots"][0] for row in data["episodes"]}
    assert first["outdoors, dark"]["mean_grey"] < 30.0
    assert first["outdoors, over-exposed"]["mean_grey"] > 150.0
    assert first["outdoors, out of focus"]["blur_px"] > 10.0
    for row in data["episodes"]:
        last = row["shots"][-1]
        assert row["code"] == "NONE"
        assert 50.0 < last["mean_grey"] < 150.0
        assert last["blur_px"] < 2.0
    assert "in 3 after" in scenes.PART.text(data)
    assert "outdoors, dark" in scenes.PART.after(data)


def row_of(prompt, **scores):
    shot = {"scores": scores, "focus_d": 1.0, "position": 24.0}
    return {"title": prompt, "code": "NONE", "shots": [shot, shot]}


def test_what_is_asked_for_is_compared_with_when_it_is_not():
    rows = [
        row_of("all", clock=0.1, cup=0.9),
        row_of("clock", clock=0.8, cup=0.2),
        row_of("clock", clock=0.6, cup=0.0),
        row_of("cup", clock=0.1, cup=0.9),
        row_of("cup", clock=0.3, cup=0.9),
    ]
    assert several.asked_against_not(rows, "clock") == (pytest.approx(0.7), pytest.approx(0.2))
    assert several.asked_against_not(rows, "cup") == (pytest.approx(0.9), pytest.approx(0.1))
    data = {"detector": "d", "distances_m": {"two": {"clock": 0.5, "cup": 1.0}}, "scenes": {"two": rows}}
    assert "2 of 2 objects score higher" in several.PART.text(data)
    assert len(several.PART.rows(data)) == 10


def test_the_objects_stand_half_a_metre_apart_and_each_is_asked_for(fetched):
    for file, count in zip(several.SCENES.values(), (3, 4), strict=True):
        path = several.config_dir() / "paper" / file
        scene = several.load_scene(path)
        assert scene.distances_m[:-1] == tuple(0.5 * n for n in range(1, count + 1))
        assert several.prompts(scene) == ["all", *scene.labels]
        goal = several.setting(path, "clock", 30.0, 0)
        assert goal.labels == ("clock",)
        assert replace(goal, title="all", labels=()) == several.setting(path, "all", 30.0, 0)


def test_without_the_training_set_the_part_says_what_to_fetch(context, monkeypatch, tmp_path):
    monkeypatch.setattr(several, "config_dir", lambda: tmp_path)
    (tmp_path / "paper").mkdir()
    for file in several.SCENES.values():
        source = "layers:\n- {kind: photograph, photo: cutouts/nothing.png, distance_m: 1.0}\n"
        (tmp_path / "paper" / file).write_text(source)
    with pytest.raises(PartMissingError, match=r"nothing\.png"):
        several.compute(context)


def test_without_a_detector_the_part_says_which_could_not_be_loaded(context, monkeypatch):
    def perception(self, name):
        raise ModelError(f"{name} is not there")

    monkeypatch.setattr(player.Agents, "perception", perception)
    with pytest.raises(PartMissingError, match="no detector could be loaded: yolov3_tiny is not there"):
        scenes.compute(context)
