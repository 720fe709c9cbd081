"""The choice of views that ships with a scene set saves choosing, and counts only where it is the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dasha_ros.assets.catalogue import catalogue
from dasha_ros.files.documents import read_json
from dasha_ros.learning.dataset.cache import selection
from dasha_ros.learning.dataset.cache.identity import pictures_of, selection_key
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.selection import choice_file, chosen_views, known_choice, main
from dasha_ros.learning.dataset.cache.store import CacheError
from dasha_ros.learning.dataset.scenes import SceneSet, load_scene_set

NO_POOL: Any = None


def told(what: str, done: int, total: int) -> None:
    raise AssertionError(f"{what} were chosen, although the choice is known")


@pytest.fixture
def kept(
    few_cache: PerceptCache, few_views: SceneSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The choice of `few_views`, as if it shipped."""
    path = tmp_path / "chosen" / "few.json"
    monkeypatch.setattr(selection, "choice_file", lambda name: path)
    monkeypatch.setattr(selection, "load_scene_set", lambda name: few_views)
    main([str(few_cache.path)])
    return path


def test_a_known_choice_is_the_one_that_choosing_made(
    kept: Path, few_cache: PerceptCache, few_views: SceneSet
) -> None:
    pictures = pictures_of(few_views)[0]
    views, skipped = chosen_views(few_views, pictures, NO_POOL, told)
    assert tuple(view.info for view in views) == few_cache.views
    assert tuple(view.scene for view in views) == few_cache.scenes
    assert skipped == few_cache.meta.skipped
    assert '"folder"' not in kept.read_text()


def test_a_choice_of_other_pictures_or_rules_does_not_count(kept: Path, few_views: SceneSet) -> None:
    pictures = pictures_of(few_views)[0]
    assert known_choice(few_views, pictures) is not None
    other = {**pictures, next(iter(pictures)): "0" * 64}
    assert known_choice(few_views, other) is None
    assert known_choice(few_views.model_copy(update={"seed": 4}), pictures) is None
    assert known_choice(few_views, dict(list(pictures.items())[1:])) is None
    elsewhere = few_views.model_copy(update={"folder": Path("/somewhere")})
    found = known_choice(elsewhere, pictures)
    assert found is not None
    assert {view.scene.folder for view in found[0]} == {Path("/somewhere")}


@pytest.mark.parametrize(
    "spoilt", ["", "{}", "[]", '{"key": 1', '{"key": "KEY", "views": [{}], "skipped": {}}']
)
def test_a_damaged_choice_is_refused(kept: Path, few_views: SceneSet, spoilt: str) -> None:
    pictures = pictures_of(few_views)[0]
    kept.write_text(spoilt.replace("KEY", selection_key(few_views, pictures)))
    with pytest.raises(CacheError, match="is damaged"):
        known_choice(few_views, pictures)


def test_only_the_cache_of_a_set_as_it_is_today_is_kept(
    kept: Path, few_cache: PerceptCache, few_views: SceneSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = few_views.model_copy(update={"seed": 4})
    monkeypatch.setattr(selection, "load_scene_set", lambda name: changed)
    with pytest.raises(SystemExit, match="not of today's scene set"):
        main([str(few_cache.path)])
    with pytest.raises(SystemExit, match="no percept cache"):
        main([str(kept.parent)])


def test_the_choice_that_ships_is_of_what_ships(few_cache: PerceptCache) -> None:
    """By the digests of the catalogue, so that the training photographs need not be here."""
    scene_set = load_scene_set("training")
    rules = scene_set.composites
    assert scene_set.planes is not None
    assert rules is not None
    patterns = [*scene_set.planes.photographs, *rules.objects, *rules.backgrounds]
    digests = {file.name: file.sha256 for package in catalogue() for file in package.files}
    names = [name for part in scene_set.pictures(patterns) for name in part]
    held = read_json(choice_file("training"))
    assert held["key"] == selection_key(scene_set, {name: digests[name] for name in names}), (
        "build the cache of training anew, and keep its views: "
        "python -m dasha_ros.learning.dataset.cache.selection CACHE"
    )
    assert len(held["views"]) == 174
