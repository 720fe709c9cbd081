"""Figure 7 on a small twin: points are taken once, also over an interruption, and agents act from them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from dasha_ros.benchmark.paper import off_the_shelf
from dasha_ros.benchmark.paper.part import Context, PartMissingError
from dasha_ros.benchmark.paper.parts import latents
from dasha_ros.benchmark.paper.parts.latents import acted
from dasha_ros.benchmark.paper.parts.latents.grid import GridRig, keep, kept
from dasha_ros.benchmark.paper.parts.recall.measure import Agents
from dasha_ros.benchmark.paper.run import run_part
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.optics.profiles import lens_model
from dasha_ros.perception.errors import ModelError

SIZE = (640, 340)


@pytest.fixture
def small(monkeypatch, fetched):
    """2 exposures, one of them far too short, times 4 positions around the motorcycle."""
    for name in ("photos/motorcycle_left.png", "photos/bus.jpg", "models/yolov3-tiny.onnx"):
        fetched(name)
    whole = latents.grid_of

    def grid_of(context):
        lens = lens_model()
        positions = tuple(lens.position(dioptres) for dioptres in (0.4, 0.9, 1.25, 2.2))
        return replace(whole(context), exposures_us=(1_000.0, 100_000.0), positions=positions, size=SIZE)

    monkeypatch.setattr(latents, "grid_of", grid_of)
    return grid_of


def test_both_agents_find_what_a_bad_picture_hides_and_an_interrupted_run_goes_on(
    small, tmp_path, monkeypatch
):
    context = Context(tmp_path, quick=True, detectors=("yolov3_tiny",))
    taken, really = [], latents.look

    def look(rig, perception, grid, number, detectors):
        if len(taken) == 2:
            raise KeyboardInterrupt
        taken.append(number)
        return really(rig, perception, grid, number, detectors)

    monkeypatch.setattr(latents, "look", look)
    with pytest.raises(KeyboardInterrupt):
        latents.compute(context)
    monkeypatch.setattr(latents, "look", lambda *what: taken.append(what[3]) or really(*what))
    assert run_part(latents.PART, context, {})
    assert taken == [0, 1, 2, 3]
    data = json.loads((tmp_path / "latents.json").read_text())["data"]
    off, on = (np.array(data["found"]["yolov3_tiny"][when]).reshape(4, 2) for when in ("off", "on"))
    assert not off[:, 0].any()
    assert off[2, 1]
    assert on.sum() > off.sum()
    assert on[:, 0].tolist() == on[:, 1].tolist()  # A^H comes to the same exposure from both
    assert data["boundaries"]["yolov3_tiny"]["moved_sd"] > 0.0
    assert len(data["plane"]) == 8
    assert not list(tmp_path.glob("latents-taken-*"))
    assert {path.suffix for path in tmp_path.glob("latents_*")} == {".svg", ".png"}
    assert latents.PART.text(data).startswith("<p>8 pictures")
    moved, differs = latents.PART.claims(data)
    assert moved.holds is True
    assert differs.holds is True, "with the short exposure nothing is found"
    # A second run takes nothing.
    monkeypatch.setattr(latents, "look", None)
    assert latents.compute(context)["found"] == data["found"]


def test_a_column_is_read_back_as_it_was_kept_and_a_damaged_one_is_taken_again(small, tmp_path):
    grid = small(Context(tmp_path, quick=True))
    column = taken(grid, tmp_path)
    path = tmp_path / "kept" / "000.npz"
    keep(column, path)
    back = kept(path, ["yolov3_tiny"])
    for one, other in zip(column["yolov3_tiny"], back["yolov3_tiny"], strict=True):
        assert np.array_equal(one.latent, other.latent)
        assert np.array_equal(one.detail, other.detail)
        assert one.detections == tuple(replace(d, sharpness=0.0) for d in other.detections)
        assert (one.brisque, one.mean_grey) == (other.brisque, other.mean_grey)
        assert other.capture.exposure_us == one.capture.exposure_us
    assert kept(path, ["nanodet"]) is None
    path.write_bytes(path.read_bytes()[:500])
    assert kept(path, ["yolov3_tiny"]) is None
    assert kept(tmp_path / "none.npz", ["yolov3_tiny"]) is None


def taken(grid, folder):
    from dasha_ros.control.twin_rig import TwinRig
    from dasha_ros.perception.detectors import create_detector
    from dasha_ros.perception.pipeline import Perception

    perception = Perception()
    rig = TwinRig(perception, grid.world, width=SIZE[0], height=SIZE[1])
    return latents.look(rig, perception, grid, 2, {"yolov3_tiny": create_detector("yolov3_tiny")})


def test_the_rig_answers_with_the_nearest_point(small, tmp_path):
    grid = small(Context(tmp_path, quick=True))
    names = [[f"{i}/{j}" for j in range(2)] for i in range(4)]
    rig = GridRig(grid, names, lens_model(), exposure_table())
    assert rig.observe() == "0/0"
    assert rig.expose(40_000.0) == "0/1"
    assert rig.expose(5_000.0) == "0/0"
    assert rig.move(grid.positions[2] + 0.1) == "2/0"
    assert rig.move(70.0) == "3/0"


def test_where_the_exposure_fails_the_lens_is_not_asked(small, tmp_path, monkeypatch):
    grid = small(Context(tmp_path, quick=True))
    columns = [taken(grid, tmp_path)["yolov3_tiny"][:1]]  # far too dark, and nothing else there
    monkeypatch.setattr(acted, "run_focus", None)
    rig = GridRig(
        replace(grid, exposures_us=grid.exposures_us[:1], positions=grid.positions[2:3]),
        columns,
        lens_model(),
        exposure_table(),
    )
    assert acted.on(rig, Agents("histogram", "coarse_to_fine"), grid.label, 0.3).tolist() == [[False]]


def test_detectors_of_the_paper_are_named_where_their_weights_are_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def create(name):
        raise ModelError(f"{name} is not fetched")

    monkeypatch.setattr(off_the_shelf, "create_detector", create)
    found, missing = off_the_shelf.present(Context(tmp_path))
    assert found == {}
    assert missing["retinanet"].startswith("its weights (retinanet_*.pth) are not in PyTorch's checkpoints")
    assert str(tmp_path) not in str(missing), "a page that is passed on names no folder of this machine"
    assert "ultralytics" in missing
    assert missing["nanodet"] == "nanodet is not fetched"
    _, asked = off_the_shelf.present(Context(tmp_path, detectors=("faster_rcnn",)))
    assert asked == {"faster_rcnn": "faster_rcnn is not fetched"}
    with pytest.raises(PartMissingError, match="no detector could be loaded"):
        latents.compute(Context(tmp_path, detectors=("faster_rcnn",)))
