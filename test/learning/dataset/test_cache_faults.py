"""What may happen to a percept cache after it was begun: a spoilt journal, other photographs, Ctrl-C."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import light_worker
import numpy as np
import pytest
from light_worker import LightWorker
from synthetic_cache import synthetic_cache

from dasha_ros.assets.catalogue import sha256_of
from dasha_ros.learning.dataset.cache import workers
from dasha_ros.learning.dataset.cache.check import MOST_OFF, REGIMES, Error, check, is_foreign
from dasha_ros.learning.dataset.cache.layout import CELL
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.store import CacheError, Store
from dasha_ros.learning.dataset.cache.workers import WorkerPool
from dasha_ros.learning.dataset.scenes import SceneSet


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_cache(tmp_path_factory.mktemp("cache") / "c", planes=2).path


@pytest.fixture
def copied(whole: Path, tmp_path: Path) -> Path:
    """A cache that a test may spoil."""
    return Path(shutil.copytree(whole, tmp_path / "copy"))


@pytest.mark.parametrize(
    "line", [b"\xff\xfe", b'{"view": Infinity, "crc": 1}', b"[" * 100_000, b'{"view": 0}', b"7"]
)
def test_a_spoilt_line_of_the_journal_costs_its_view_alone(copied: Path, line: bytes) -> None:
    journal = copied / "journal.jsonl"
    journal.write_bytes(line + b"\n" + journal.read_bytes())
    assert PerceptCache.open(copied).views
    journal.write_bytes(line)
    with pytest.raises(CacheError, match=r"unfinished \(0 of 2 views"):
        PerceptCache.open(copied)


def test_a_journal_that_can_not_be_read_is_told(copied: Path) -> None:
    (copied / "journal.jsonl").unlink()
    (copied / "journal.jsonl").mkdir()
    with pytest.raises(CacheError, match=r"journal\.jsonl: is a folder, not a file\): delete the folder"):
        PerceptCache.open(copied)


def test_only_what_a_split_needs_is_verified_and_must_be_whole(tmp_path: Path) -> None:
    folder = synthetic_cache(tmp_path / "c", planes=5).path
    store = Store.load(folder)
    needed = store.needed(0)
    (tested,) = set(range(5)) - needed

    def damage(view: int) -> None:
        scores = store.arrays("r+")["score"]
        scores[store.layout.part(CELL, view)] += np.float32(0.125)

    damage(tested)
    assert PerceptCache.open(folder, split=0).views
    with pytest.raises(CacheError, match=f"damaged: view {store.views[tested].info.name} is not"):
        PerceptCache.open(folder)
    told: list[tuple[str, int, int]] = []
    assert store.whole(store.arrays(), needed, lambda *news: told.append(news)) == needed
    assert told == [("verified views", number, 4) for number in (1, 2, 3, 4)]
    first, second = sorted(needed)[:2]
    damage(second)
    damage(first)
    with pytest.raises(CacheError, match=f"damaged: view {store.views[first].info.name} is not"):
        PerceptCache.open(folder, split=0)


@pytest.mark.parametrize("change", [{"dtype": "many"}, {"table": "chairs"}, {"shape": ["a"]}])
def test_fields_that_can_not_be_read_are_told(copied: Path, change: dict[str, Any]) -> None:
    meta = json.loads((copied / "meta.json").read_text())
    meta["fields"]["score"].update(change)
    (copied / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(CacheError, match=r"is damaged .*delete the folder"):
        Store.load(copied)


def test_views_are_not_drawn_of_other_photographs(tmp_path: Path) -> None:
    photos = [tmp_path / "bus [x].jpg", tmp_path / "dog.jpg"]
    for photo in photos:
        photo.write_bytes(photo.name.encode())
    cache: Any = SimpleNamespace(
        path=tmp_path / "cache",
        views=[SimpleNamespace(photographs=(str(photo),)) for photo in photos],
        meta=SimpleNamespace(pictures={str(photo): sha256_of(photo) for photo in photos}),
    )
    photos[0].write_bytes(b"another picture")
    with pytest.raises(CacheError, match=r"was made of .*bus \[x\]\.jpg, which has changed since: put"):
        check(cache)
    for photo in photos:
        photo.unlink()
    with pytest.raises(CacheError, match=r"bus \[x\]\.jpg, which is not there any more \(and 1 other\)"):
        check(cache)


@pytest.mark.parametrize(
    ("regime", "quantity", "mean", "foreign"),
    [
        (REGIMES[0].name, "latent", 0.7471, True),
        (REGIMES[0].name, "latent", MOST_OFF / 2, False),
        (REGIMES[0].name, "brisque", 3.0, False),
        (REGIMES[3].name, "latent", 0.3, False),
    ],
)
def test_a_cache_is_foreign_if_its_own_cells_are(
    regime: str, quantity: str, mean: float, foreign: bool
) -> None:
    usual = Error(REGIMES[0].name, "latent_grid", 0.0002, 0.0003, 0.0002)
    assert is_foreign([usual, Error(regime, quantity, mean, mean, 0.0)]) is foreign


def test_ctrl_c_ends_workers_at_once_and_what_is_done_was_handed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One job never ends: a build that waited for it would neither go on nor end."""
    monkeypatch.setattr(workers, "_begin", light_worker.begin)
    scene_set: Any = SceneSet.model_construct()
    done: dict[int, set[signal.Signals]] = {}

    def press(what: str, count: int, total: int) -> None:
        if count == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), WorkerPool(2, scene_set) as pool:
        done.update(pool.run(LightWorker.view, [(n,) for n in range(4)], press, "cells"))
    assert done.keys() == {1, 2, 3}
    assert all({signal.SIGINT, signal.SIGHUP} <= blocked for blocked in done.values())
    assert not {signal.SIGINT, signal.SIGHUP} & signal.pthread_sigmask(signal.SIG_BLOCK, ())
