"""The percept cache with real models and photographs: what it holds, and what it does to bad input."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from dasha_ros.assets.catalogue import asset
from dasha_ros.freshness.command import NO_COMMAND
from dasha_ros.freshness.state import CaptureInfo, LensState
from dasha_ros.learning.dataset.cache import store as cache_store
from dasha_ros.learning.dataset.cache.axes import Grids
from dasha_ros.learning.dataset.cache.build import build_cache
from dasha_ros.learning.dataset.cache.cell_content import CellReader
from dasha_ros.learning.dataset.cache.check import FullCamera, check
from dasha_ros.learning.dataset.cache.layout import GREY
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.store import CacheError, Store, locked
from dasha_ros.learning.dataset.scenes import SceneSet, folder_scene_set, splits
from dasha_ros.learning.dataset.scenes.description import Planes
from dasha_ros.perception.encoders.joint import part
from dasha_ros.perception.quality.histogram import histogram

CAPTURE = CaptureInfo(5, 2000.0, 0.0, NO_COMMAND, 1)
LENS = LensState(NO_COMMAND, 40.0, 40.0, True, 4)


@pytest.fixture
def copied(few_cache: PerceptCache, tmp_path: Path) -> Path:
    """A cache that a test may spoil."""
    return Path(shutil.copytree(few_cache.path, tmp_path / "copy"))


def test_views_are_what_the_detector_found(few_cache: PerceptCache) -> None:
    assert [(v.kind, v.label) for v in few_cache.views[:2]] == [("plane", "motorcycle"), ("plane", "person")]
    composite = few_cache.views[2]
    assert (composite.kind, composite.photographs) == ("composite", ("photos/zidane.jpg", "photos/china.jpg"))
    near, far = composite.distances_m
    assert composite.separation_dioptres == pytest.approx(1 / near - 1 / far)
    assert 0.5 <= near <= 1.4
    assert 5.0 <= far <= 20.0
    assert "photos/china.jpg" not in few_cache.meta.skipped, "it has no object, but is a background"


def test_a_cell_is_what_the_whole_chain_shows(few_cache: PerceptCache) -> None:
    """At 2048 x 1088, pixel by pixel, with another draw of noise."""
    reader, ev = CellReader(), few_cache.meta.grids.focus.ev[1]
    for number, view in enumerate(few_cache.views):
        camera = FullCamera(few_cache.scenes[number], view.layer)
        place = reader.place(camera.grey(0.0, view.mid_grey_lux_seconds, seed=8), view.label)
        for defocus in (0.0, 1.5):
            grey = camera.grey(defocus, view.mid_grey_lux_seconds * 2.0**ev, seed=9)
            expected = reader.cell(grey, view.label, place)
            looked_up = few_cache.lookup(number, defocus, ev, 0, tuple(few_cache.fields))
            found = {name: value[0] for name, value in looked_up.items()}
            assert found["score"] == pytest.approx(expected["score"], abs=0.08)
            assert found["brisque"] == pytest.approx(expected["brisque"], abs=3.0)
            assert found["sharpness"] == pytest.approx(expected["sharpness"], rel=0.1)
            assert found["object_detail"] == pytest.approx(expected["object_detail"], abs=0.15)
            for latent in ("latent", "latent_grid", "latent_early"):
                a, b = found[latent], np.asarray(expected[latent])
                assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) > 0.98
            assert found["histogram"].sum() == pytest.approx(1.0, abs=0.01)
            if defocus == 0.0:
                assert found["mean_grey"] == pytest.approx(grey.mean(), abs=1.0)


def test_mid_grey_is_ev_0(few_cache: PerceptCache) -> None:
    grey = few_cache.lookup(np.arange(len(few_cache.views)), 0.0, 0.0, 0, ["mean_grey"])["mean_grey"]
    assert grey == pytest.approx(100.0, abs=1.5)


def test_many_look_ups_are_the_same_as_one_by_one(few_cache: PerceptCache) -> None:
    rng = np.random.default_rng(0)
    n = 40
    views, draws = rng.integers(0, len(few_cache.views), n), rng.integers(0, 9, n)
    defocus, ev = rng.uniform(-12, 12, n), rng.uniform(-14, 9, n)
    names = tuple(few_cache.fields)
    together = few_cache.lookup(views, defocus, ev, draws, names)
    for i in range(n):
        alone = few_cache.lookup(int(views[i]), float(defocus[i]), float(ev[i]), int(draws[i]), names)
        for name in names:
            assert together[name][i] == pytest.approx(alone[name][0], rel=1e-5, abs=1e-5, nan_ok=True)


def test_detection_and_sharpness_are_lost_with_focus(few_cache: PerceptCache) -> None:
    for number in range(len(few_cache.views)):
        seen = few_cache.lookup(number, [0.0, 9.5], 0.0, 0, ["score", "sharpness"])
        assert seen["score"][0] >= 0.3 > seen["score"][1]
        assert seen["sharpness"][0] > 2 * seen["sharpness"][1]


def test_a_percept_shows_what_was_looked_up(few_cache: PerceptCache) -> None:
    percept = few_cache.percept(0, 0.0, 0.2, 1, capture=CAPTURE, lens=LENS)
    assert percept.is_finite()
    assert (percept.capture, percept.lens) == (CAPTURE, LENS)
    assert (percept.width, percept.height) == (2048, 1088)
    assert percept.encoder == "efficientnet_lite0+efficientnet_lite0_grid"
    early = few_cache.percept(0, 0.0, 0.2, 1, capture=CAPTURE, lens=LENS, latent="latent_early")
    assert (early.encoder, early.latent.shape) == ("efficientnet_lite0_early", (224,))
    last = part(percept.latent, percept.encoder, "efficientnet_lite0")
    assert (last == few_cache.lookup(0, 0.0, 0.2, 1, ["latent"])["latent"][0]).all()
    (found,) = percept.of(["motorcycle"], 0.3)
    assert 0 <= found.box[0] < found.box[2] <= 2048
    assert 0 <= found.box[1] < found.box[3] <= 1088
    assert percept.histogram_counts.sum() == pytest.approx(640 * 340, rel=0.01)
    picture = np.repeat(np.arange(256, dtype=np.uint8), 8).reshape(32, 64)
    assert percept.histogram_counts.shape == histogram(picture).counts.shape
    assert few_cache.percept(0, 9.0, 0.2, 1, capture=CAPTURE, lens=LENS).of(["motorcycle"]) == ()


def test_questions_without_sense_are_refused(few_cache: PerceptCache) -> None:
    with pytest.raises(ValueError, match="not a number"):
        few_cache.lookup(0, float("nan"), 0.0, 0, ["score"])
    with pytest.raises(ValueError, match="not a number"):
        few_cache.lookup(0, 0.0, [0.0, float("inf")], 0, ["score"])
    with pytest.raises(IndexError, match=r"numbered 0\.\.2"):
        few_cache.lookup(-1, 0.0, 0.0, 0, ["score"])
    with pytest.raises(KeyError):
        few_cache.lookup(0, 0.0, 0.0, 0, ["colour"])
    with pytest.raises(KeyError, match="no view 'moon'"):
        few_cache.index("moon")


def test_a_second_build_computes_nothing(few_cache: PerceptCache, few_views: SceneSet) -> None:
    told: list[tuple[str, int, int]] = []
    again = build_cache(
        few_views, few_cache.path, workers=1, grids=Grids.tiny(), progress=lambda *x: told.append(x)
    )
    assert again.views == few_cache.views
    cells = len(few_cache.fields["score"])
    assert told == [*(("verified views", done, 3) for done in (1, 2, 3)), ("cells", cells, cells)]


def test_another_set_may_not_use_the_folder(few_cache: PerceptCache, few_views: SceneSet) -> None:
    other = few_views.model_copy(update={"seed": 4})
    with pytest.raises(CacheError, match=r"holds another cache .* give another folder"):
        build_cache(other, few_cache.path, workers=1, grids=Grids.tiny())


@pytest.mark.parametrize("name", ["score.bin", "latent.bin", "histogram.bin"])
def test_a_changed_byte_is_found_and_costs_one_view(copied: Path, few_views: SceneSet, name: str) -> None:
    content, kept = bytearray((copied / name).read_bytes()), Store.load(copied).done()
    content[len(content) // 2] ^= 0x40
    (copied / name).write_bytes(content)
    with pytest.raises(CacheError, match=r"damaged: view .* run the same `dasha cache build` again"):
        PerceptCache.open(copied)
    told: dict[str, int] = {}
    build_cache(few_views, copied, 1, lambda what, done, _: told.setdefault(what, done), Grids.tiny())
    assert told["cells"] > 0, "the other views stay"
    assert Store.load(copied).done() == kept
    PerceptCache.open(copied)


def test_a_short_or_missing_file_is_found(copied: Path) -> None:
    content = (copied / "brisque.bin").read_bytes()
    (copied / "brisque.bin").write_bytes(content[:-4])
    with pytest.raises(CacheError, match=r"brisque\.bin holds \d+ bytes, not \d+"):
        PerceptCache.open(copied)
    (copied / "brisque.bin").unlink()
    with pytest.raises(CacheError, match=r"brisque\.bin holds 0 bytes"):
        PerceptCache.open(copied)


@pytest.mark.parametrize("spoilt", ["", "{", "[]", '{"format": 99}', '{"format": 1, "key": "x"}'])
@pytest.mark.parametrize("name", ["meta.json", "views.json"])
def test_damaged_descriptions_are_found(copied: Path, name: str, spoilt: str) -> None:
    (copied / name).write_text(spoilt)
    with pytest.raises(CacheError):
        PerceptCache.open(copied)


def test_a_folder_that_is_no_cache_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CacheError, match="no percept cache: make one"):
        PerceptCache.open(tmp_path)


def test_only_what_a_split_learns_from_is_computed_and_the_rest_later(
    few_views: SceneSet, tmp_path: Path
) -> None:
    photographs = [f"photos/{name}" for name in ("motorcycle_left.png", "zidane.jpg", "bus.jpg")]
    scene_set = few_views.model_copy(
        update={"folds": 3, "composites": None, "planes": Planes(photographs=photographs)}
    )
    counted: list[tuple[int, int]] = []

    def progress(what: str, done: int, total: int) -> None:
        if what == "cells":
            counted.append((done, total))

    some = build_cache(scene_set, tmp_path, 1, progress, Grids.tiny(), split=0)
    assert counted[-1][0] == counted[-1][1]
    (split, *_) = splits(some.views)
    assert len(split.test)
    assert not some.fields["mean_grey"][Store.load(tmp_path).layout.part(GREY, int(split.test[0]))].any()
    with pytest.raises(CacheError, match="unfinished"):
        PerceptCache.open(tmp_path)
    with pytest.raises(CacheError, match="no split 7"):
        PerceptCache.open(tmp_path, split=7)
    whole = build_cache(scene_set, tmp_path, 1, grids=Grids.tiny())
    assert whole.fields["mean_grey"].all()


def test_no_cache_is_begun_for_a_split_that_does_not_exist(few_views: SceneSet, tmp_path: Path) -> None:
    with pytest.raises(CacheError, match=r"scene set .* has no split 7: "):
        build_cache(few_views, tmp_path, 1, grids=Grids.tiny(), split=7)
    assert not (tmp_path / "meta.json").exists()  # by which the newest cache is found


def test_a_torn_journal_costs_one_view(copied: Path, few_cache: PerceptCache, few_views: SceneSet) -> None:
    journal = copied / "journal.jsonl"
    journal.write_text(journal.read_text().rstrip()[:-4])
    with pytest.raises(CacheError, match="unfinished \\(2 of 3 views"):
        PerceptCache.open(copied)
    again = build_cache(few_views, copied, workers=1, grids=Grids.tiny())
    assert Store.load(copied).done() == Store.load(few_cache.path).done()
    assert (again.fields["latent"] == few_cache.fields["latent"]).all()


def test_a_lost_file_is_computed_again(copied: Path, few_cache: PerceptCache, few_views: SceneSet) -> None:
    (copied / "score.bin").unlink()
    again = build_cache(few_views, copied, workers=1, grids=Grids.tiny())
    assert (again.fields["score"] == few_cache.fields["score"]).all()
    assert Store.load(copied).done() == Store.load(few_cache.path).done()


KILLED = """
import os, signal, sys
from dasha_ros.learning.dataset.cache.build import build_cache
from dasha_ros.learning.dataset.cache.axes import Grids
from dasha_ros.learning.dataset.scenes import SceneSet

def progress(what, done, total):
    if what == "cells" and 0 < done < total:
        os.kill(os.getpid(), signal.SIGKILL)

scene_set = SceneSet.model_validate_json(sys.argv[1])
build_cache(scene_set, sys.argv[2], workers=1, grids=Grids.tiny(), progress=progress)
"""


def test_a_killed_build_goes_on_and_ends_where_an_unbroken_one_does(
    few_cache: PerceptCache, few_views: SceneSet, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", KILLED, few_views.model_dump_json(), str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with pytest.raises(CacheError, match="unfinished"):
        PerceptCache.open(tmp_path)
    told: list[tuple[str, int, int]] = []
    resumed = build_cache(
        few_views, tmp_path, workers=1, grids=Grids.tiny(), progress=lambda *x: told.append(x)
    )
    assert told[0][1] > 0, "what was computed before the kill is kept"
    for name, array in few_cache.fields.items():
        assert np.array_equal(resumed.fields[name], array, equal_nan=True), name
    assert resumed.views == few_cache.views


def test_two_processes_compute_the_same(few_cache: PerceptCache, few_views: SceneSet, tmp_path: Path) -> None:
    other = build_cache(few_views, tmp_path, workers=2, grids=Grids.tiny())
    assert other.views == few_cache.views
    for name, array in few_cache.fields.items():
        assert np.array_equal(other.fields[name], array, equal_nan=True), name


def test_a_full_disk_is_met_before_anything_is_computed(
    few_views: SceneSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, begin: int, size: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache_store.os, "posix_fallocate", full)
    one = few_views.model_copy(
        update={"planes": Planes(photographs=["photos/zidane.jpg"]), "composites": None}
    )
    told: list[str] = []
    with pytest.raises(CacheError, match="full: free space, or give another folder"):
        build_cache(one, tmp_path, workers=1, grids=Grids.tiny(), progress=lambda what, *_: told.append(what))
    assert "cells" not in told
    assert Store.load(tmp_path).views, "what was found so far is kept"


def test_a_folder_that_cannot_be_written_is_explained(few_views: SceneSet, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match="can't be written"):
        build_cache(few_views, tmp_path / "file" / "cache", workers=1, grids=Grids.tiny())


def test_one_builder_at_a_time(few_views: SceneSet, tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(CacheError, match="another process is building"):
        build_cache(few_views, tmp_path, workers=1, grids=Grids.tiny())


def test_photographs_that_nobody_prepared(few_views: SceneSet, tmp_path: Path) -> None:
    """A folder: one picture with an object, one without, and one that is no picture."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    shutil.copy(asset("photos/motorcycle_left.png"), folder / "bike.png")
    assert cv2.imwrite(str(folder / "blank.png"), np.full((340, 640), 128, np.uint8))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    cache = build_cache(folder_scene_set(folder), tmp_path / "cache", workers=1, grids=Grids.tiny())
    assert {(v.label, v.photographs) for v in cache.views} == {("motorcycle", (str(folder / "bike.png"),))}
    skipped = {Path(name).name: why for name, why in cache.meta.skipped.items()}
    assert skipped["blank.png"] == "the detector finds nothing in the sharp picture"
    assert "not a picture that can be read" in skipped["broken.jpg"]


def test_a_set_without_any_object_is_refused_with_reasons(few_views: SceneSet, tmp_path: Path) -> None:
    empty = few_views.model_copy(
        update={"planes": Planes(photographs=["photos/china.jpg"]), "composites": None}
    )
    with pytest.raises(
        CacheError,
        match=r"gives no view: photos/china\.jpg: (the detector finds nothing|.* is found with).*Give "
        "photographs of things that the detector knows",
    ):
        build_cache(empty, tmp_path, workers=1, grids=Grids.tiny())
    absent = few_views.model_copy(
        update={"planes": Planes(photographs=["photos/moon.jpg"]), "composites": None}
    )
    with pytest.raises(CacheError, match="gives no view"):
        build_cache(absent, tmp_path, workers=1, grids=Grids.tiny())


def test_the_check_measures_every_quantity(few_cache: PerceptCache) -> None:
    errors = check(few_cache, points=2)
    on_cells = {e.quantity: e for e in errors if e.regime.startswith("on cells")}
    latents = {"latent", "latent_grid", "latent_early"}
    assert set(on_cells) == {"score", "brisque", "sharpness", "mean_grey", "object_detail", *latents}
    assert on_cells["latent_early"].mean < 0.01
    assert all(np.isfinite([e.mean, e.p95, e.noise_mean]).all() for e in errors)
    between = {e.quantity: e for e in errors if e.regime.startswith("any")}
    assert between["brisque"].mean > on_cells["brisque"].mean, "so few cells cost something"


def test_the_journal_is_readable_text(few_cache: PerceptCache) -> None:
    lines = [line for line in (few_cache.path / "journal.jsonl").read_text().splitlines() if line]
    assert [json.loads(line)["view"] for line in lines] == [0, 1, 2]
