"""`dasha explain` on the report of a goal that was played on a small twin."""

from __future__ import annotations

import csv
import json
import re
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from told_steps import told
from typer.testing import CliRunner

from dasha_ros.cli import app
from dasha_ros.control.loop import run_exposure, run_focus
from dasha_ros.control.twin_rig import TwinRig
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.perception.pipeline import Perception
from dasha_ros.policies.policy import ExposureTask, FocusTask
from dasha_ros.policies.registry import exposure_policy, focus_policy
from dasha_ros.report import ReportWriter, load
from dasha_ros.report.explain.explanation import Explained, explain
from dasha_ros.report.explain.occlusion import on_box
from dasha_ros.report.explain.words import sentences
from dasha_ros.twin.world import World

RUN = CliRunner()


@pytest.fixture(scope="module")
def report(fetched, tmp_path_factory) -> Path:
    """A goal of both agents of plus: a dark picture of a motorcycle, out of focus."""
    for name in ("photos/motorcycle_left.png", "photos/bus.jpg", "models/yolov3-tiny.onnx"):
        fetched(name)
    perception = Perception("efficientnet_lite0_grid")
    world = World("motorcycle_street", 85.0)
    rig = TwinRig(perception, world, width=640, height=340)
    lens = LensInfo.of(rig.lens)
    rig.place(world, rig.lens.position(0.9), 2_000.0)
    running = ReportWriter(tmp_path_factory.mktemp("reports")).begin(
        {"labels": ("motorcycle",), "min_score": 0.3, "max_brisque": 100.0, "max_steps": 60},
        {"exposure_policy": "plus", "focus_policy": "plus", "lens": asdict(lens)},
    )
    agents = {"A^H": exposure_policy("plus"), "A^L": focus_policy("plus")}

    def on_step(step):
        belief = agents["A^L"].belief() if step.agent == "A^L" else None
        record, kept = told(step)
        record["belief"] = belief and dict(zip(("dioptres", "probability"), map(tuple, belief), strict=True))
        running.step(record, perception.annotated_jpeg(step.percept), kept)

    run_exposure(rig, agents["A^H"], ExposureTask(rig.table), on_step)
    task = FocusTask(lens.model(), frozenset({"motorcycle"}))
    found = run_focus(rig, agents["A^L"], task, on_step)
    ended = {"error_code": 0, "error_name": "NONE", "error_msg": "", "exposure_steps": 1, "seconds": 1.0}
    assert found.code == 0
    return running.finish({**ended, "focus_steps": found.steps})


@pytest.fixture(scope="module")
def explained(report) -> list[Explained]:
    return list(explain(load(report), report))


@pytest.fixture
def copied(report, tmp_path) -> Path:
    return Path(shutil.copytree(report, tmp_path / "copied"))


def test_the_policies_decide_again_as_they_did_and_believe_the_same(report, explained):
    record = load(report)
    assert [each.step for each in explained] == list(record.steps)
    assert all(each.is_reproduced for each in explained)
    ends = [each for each in explained if each.recorded is None]
    assert [(each.step.agent, each.decided.done) for each in ends] == [("A^H", True), ("A^L", True)]
    for each in explained:
        if each.step.agent == "A^L":
            assert each.decided.belief == pytest.approx(np.array(each.step.belief.probability), abs=1e-12)


def test_at_the_end_what_counts_lies_on_the_object(report, explained):
    record, last = load(report), explained[-1]
    share, area = on_box(last.influence.belief, last.box)
    assert area < 0.5
    assert share > area
    told = " ".join(sentences(record, last))
    assert "So it stopped." in told
    assert "lies on the box of the motorcycle" in told


def test_another_policy_than_the_one_that_acted_is_told(report):
    record = load(report)
    explained = list(explain(record, report, focus_policy="coarse_to_fine"))
    lens = [each for each in explained if each.step.agent == "A^L"]
    assert not all(each.is_reproduced for each in lens)
    assert np.isnan(lens[0].influence.belief).all()
    assert not lens[0].influence.decision.any()  # it reads no latent
    told = " ".join(sentences(record, lens[0]))
    assert "no belief" in told
    assert "no single place decided" in told


def test_the_command_writes_a_page_data_and_figures(copied):
    done = RUN.invoke(app, ["explain", str(copied)])
    assert done.exit_code == 0, done.output
    page = (copied / "explanation.html").read_text()
    assert page.count("<svg") == len(load(copied).steps)
    assert not {"<script", "<img", "<link"} & set(page.split())
    data = json.loads((copied / "explanation.json").read_text())
    assert all(decision["reproduced"] for decision in data["decisions"])
    rows = list(csv.DictReader((copied / "explanation.csv").open()))
    assert len(rows) == 28 * len(data["decisions"])
    last = np.array(data["decisions"][-1]["belief_moved"])
    assert [float(row["belief_moved"]) for row in rows[-28:]] == last.ravel().tolist()
    assert (copied / "explanation-00.png").read_bytes().startswith(b"\x89PNG")
    assert load(copied / "report.json").steps  # the report itself is as it was


def change(folder: Path, **changes) -> None:
    document = json.loads((folder / "report.json").read_text())
    for path, value in changes.items():
        *parents, key = path.split("__")
        part = document
        for name in parents:
            part = part[int(name)] if isinstance(part, list) else part[name]
        part[key] = value
    (folder / "report.json").write_text(json.dumps(document))


def kept(folder: Path, **changes: np.ndarray) -> None:
    """Change what is kept of the second step."""
    with np.load(folder / "step-0001.npz") as stored:
        arrays = dict(stored)
    np.savez(folder / "step-0001.npz", **(arrays | changes))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (shutil.rmtree, "there is no such file"),
        (lambda folder: change(folder, version=9), "is a report of version 9"),
        (lambda folder: (folder / "report.json").write_text("{"), "is not JSON"),
        (lambda folder: (folder / "step-0001.npz").unlink(), "step-0001.npz.*copy the whole folder"),
        (lambda folder: (folder / "step-0001.npz").write_bytes(b"PK\x03\x04"), "step-0001.npz"),
        (lambda folder: np.savez(folder / "step-0001.npz", latent=np.zeros(3)), "holds no 'detail'"),
        (lambda folder: kept(folder, latent=np.zeros(1)), r"step-0001\.npz.*latent has the shape \(1,\)"),
        (lambda folder: kept(folder, latent=np.zeros((1, 6272))), r"step-0001\.npz.*6272 numbers in a row"),
        (lambda folder: kept(folder, latent=np.full(6272, np.nan)), r"step-0001\.npz.*not finite numbers"),
        (lambda folder: kept(folder, latent=np.full(6272, "a")), r"step-0001\.npz.*not finite numbers"),
        (lambda folder: kept(folder, detail=np.zeros((3, 4, 6), np.uint8)), r"step-0001\.npz.*map of detail"),
        (
            lambda folder: kept(folder, colour_detail=np.zeros((1, 36, 64, 6), np.uint8)),
            "maps of red and blue",
        ),
        (lambda folder: kept(folder, detail=np.zeros((36, 64, 6))), r"step-0001\.npz.*from 0 to 255"),
        (lambda folder: kept(folder, detail=np.full((36, 64, 6), -1)), r"step-0001\.npz.*from 0 to 255"),
        (lambda folder: change(folder, steps__2__percept__histogram_counts=[1, 2]), "histogram of 10 counts"),
        (lambda folder: change(folder, steps__2__percept__histogram_counts=[-1] * 10), "of 10 counts"),
        (lambda folder: change(folder, steps__0__numbers=None), "written by an older dasha_ros"),
        (lambda folder: change(folder, setup__lens=None), "which map the lens has"),
        (lambda folder: change(folder, steps__2__percept__brisque=None), "not finite"),
        (lambda folder: change(folder, steps__2__percept__encoder="other"), "percepts come from other"),
        (lambda folder: change(folder, setup__focus_policy="mine"), "mine"),
        (lambda folder: (folder / "step-0002.jpg").write_bytes(b"x"), "step-0002.jpg.*copy the whole"),
    ],
)
def test_what_can_not_be_explained_is_refused_with_the_reason(copied, spoil, sentence):
    spoil(copied)
    done = RUN.invoke(app, ["explain", str(copied)])
    assert done.exit_code == 2, done.output
    assert re.search(sentence, " ".join(done.output.split())), done.output
    assert "Traceback" not in done.output


def test_a_folder_that_can_not_be_written_is_named(report, tmp_path):
    (tmp_path / "file").write_text("")
    done = RUN.invoke(app, ["explain", str(report), "--out", str(tmp_path / "file" / "out")])
    assert done.exit_code == 2
    assert "can't be written" in " ".join(done.output.split())


def test_a_goal_that_ended_before_its_first_picture_has_nothing_to_explain(tmp_path):
    ended = {"error_code": 301, "error_name": "CAMERA_LOST", "error_msg": "gone", "exposure_steps": 0}
    folder = ReportWriter(tmp_path).begin({}).finish({**ended, "focus_steps": 0, "seconds": 0.0})
    done = RUN.invoke(app, ["explain", str(folder)])
    assert done.exit_code == 0, done.output
    assert "no decision to explain" in (folder / "explanation.html").read_text()
