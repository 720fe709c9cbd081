"""Scene sets: their description, their pictures, their splits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.assets.catalogue import catalogue
from dasha_ros.learning.dataset.scenes import (
    SceneSetError,
    ViewInfo,
    folder_scene_set,
    load_scene_set,
    scene_set_names,
    splits,
)
from dasha_ros.learning.dataset.scenes.planes import stem
from dasha_ros.perception.percept import iou


def view(name: str, fold: int, *photographs: str) -> ViewInfo:
    return ViewInfo(name, "plane", "cat", photographs, fold=fold)


@pytest.mark.parametrize("name", scene_set_names())
def test_shipped_sets_load_and_name_known_pictures(name: str) -> None:
    scene_set = load_scene_set(name)
    patterns = [*(scene_set.planes.photographs if scene_set.planes else ())]
    if scene_set.composites:
        patterns += [*scene_set.composites.objects, *scene_set.composites.backgrounds]
    here, absent = scene_set.pictures(patterns)
    known = {file.name for package in catalogue() for file in package.files}
    assert set(absent) <= known
    assert len(here) + len(absent) >= 6


def test_training_offers_as_many_pictures_as_it_promises() -> None:
    scene_set = load_scene_set("training")
    assert scene_set.planes is not None
    assert scene_set.composites is not None
    photographs = scene_set.pictures(scene_set.planes.photographs)
    cutouts = scene_set.pictures(scene_set.composites.objects)
    assert sum(map(len, photographs)) >= 100
    assert sum(map(len, cutouts)) >= 90


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({}, "needs `planes` or `composites`"),
        ({"planes": {"photographs": []}}, "photographs"),
        ({"planes": {"photographs": ["a.jpg"], "zooms": 1}}, "zooms"),
        ({"planes": {"photographs": ["a.jpg"]}, "min_score": float("nan")}, "min_score"),
        (
            {"composites": {"objects": ["a"], "backgrounds": ["b"], "count": 1, "widths": [0.5, 0.1]}},
            "widths = 0.5, 0.1: the least first",
        ),
        (
            {
                "composites": {
                    "objects": ["a"], "backgrounds": ["b"], "count": 1, "object_distances_m": [0.5, 6.0]
                }
            },
            "must end before",
        ),
    ],
)  # fmt: skip
def test_bad_descriptions_are_explained(tmp_path: Path, document: dict[str, object], says: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(yaml.safe_dump(document))
    with pytest.raises(SceneSetError, match=says):
        load_scene_set(path)


def test_what_is_no_set_is_explained(tmp_path: Path) -> None:
    with pytest.raises(SceneSetError, match=r"no scene set 'nothing'; give the path .* training"):
        load_scene_set("nothing")
    with pytest.raises(SceneSetError, match="no such file"):
        load_scene_set(tmp_path / "absent.yaml")
    (tmp_path / "torn.yaml").write_text("planes: [")
    with pytest.raises(SceneSetError, match="is not YAML"):
        load_scene_set(tmp_path / "torn.yaml")


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SceneSetError, match="holds no pictures"):
        folder_scene_set(tmp_path)
    with pytest.raises(SceneSetError, match="no folder"):
        folder_scene_set(tmp_path / "absent")


def test_a_folder_offers_every_picture_whatever_its_name(tmp_path: Path) -> None:
    names = ["b.PNG", "a [1].jpg", "deep/c*.webp", "deep/d.webp"]
    for name in [*names, "notes.txt"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    scene_set = folder_scene_set(tmp_path, composites=4)
    assert scene_set.planes is not None
    here, absent = scene_set.pictures(scene_set.planes.photographs)
    assert sorted(here) == sorted(str(tmp_path / name) for name in names)
    assert absent == []


folds = st.integers(3, 6)


@given(folds, st.integers(0, 100), st.lists(st.integers(0, 5), min_size=30, max_size=60))
def test_splits_share_no_photograph(count: int, seed: int, extra: list[int]) -> None:
    places = [*range(count), *(place % count for place in extra)]
    views = [view(str(i), fold, f"{fold}-{i % 4}", f"{fold}-b") for i, fold in enumerate(places)]
    made = splits(views, 3, seed)
    for split in made:
        parts = [split.train, split.validation, split.test]
        assert sorted(np.concatenate(parts)) == list(range(len(views)))
        pictures = [{p for i in part for p in views[i].photographs} for part in parts]
        assert all(pictures)
        assert sum(map(len, pictures)) == len(set.union(*pictures))
    tested = np.concatenate([split.test for split in made])
    assert len(set(tested)) == len(tested)


def test_splits_repeat_with_the_seed() -> None:
    views = [view(str(i), i % 5) for i in range(20)]
    assert [s.test.tolist() for s in splits(views)] == [s.test.tolist() for s in splits(views)]
    assert any(
        (a.test.tolist() != b.test.tolist())
        for a, b in zip(splits(views), splits(views, seed=1), strict=True)
    )


def test_too_few_folds_are_refused() -> None:
    with pytest.raises(ValueError, match="three folds"):
        splits([view("a", 0), view("b", 1)])
    with pytest.raises(ValueError, match="can't be made"):
        splits([view(str(i), i) for i in range(3)], count=4)


def test_views_of_one_name_in_two_folders_differ() -> None:
    assert stem("photos/giraffe.jpg") == "giraffe"
    assert stem("photos/gcompris/giraffe.webp") == "gcompris-giraffe"
    assert stem("/home/me/my photos/cat.v2.png") == "cat.v2"


def test_overlap_of_boxes() -> None:
    assert iou((0, 0, 2, 2), (0, 0, 2, 2)) == 1.0
    assert iou((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert iou((0, 0, 1, 1), (1, 0, 2, 1)) == 0.0
