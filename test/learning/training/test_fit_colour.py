"""What a policy is fitted with where it reads colours: a cache whose colours are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic_cache import PX, synthetic_cache

from dasha_ros.benchmark.trials.colour_sign import __main__ as command
from dasha_ros.benchmark.trials.colour_sign.twin import in_the_twin
from dasha_ros.estimation.colour_sign import SIGNED_NODES, signed_node
from dasha_ros.learning.dataset.cache.cells import ReadingError, cell_features
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.fitting.focus import FocusLookup, belief_focus_lookup
from dasha_ros.learning.training.presets import load_preset
from dasha_ros.learning.training.train import split_of
from dasha_ros.policies.learned.focus_features import focus_extractor
from dasha_ros.policies.learned.policy_content import WITH_COLOUR, check_fitted

PRESET = load_preset("plus_colour").focus
NEAR_D = 2.0 / PX


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> PerceptCache:
    return synthetic_cache(tmp_path_factory.mktemp("cache"), planes=15, composites=5, colour=True)


@pytest.fixture(scope="module")
def lookup(cache: PerceptCache) -> FocusLookup:
    return belief_focus_lookup(cache, split_of(cache, 0).train, PRESET, cell_features(cache))


def test_the_curves_tell_the_sides_apart(lookup: FocusLookup) -> None:
    profile = lookup.extractor.model.colour
    assert len(profile.mean) == SIGNED_NODES
    nearer, farther = profile.mean[signed_node(np.array([2.0, -2.0]))]
    assert (nearer - farther).min() > 0.8


def test_a_look_up_reads_the_side_where_the_lens_is(lookup: FocusLookup) -> None:
    for view in range(len(lookup.views)):
        views, zeros = np.full(2, view), np.zeros(2)
        pictures = lookup.pictures(
            np.full(2, 40.0), views, np.array([NEAR_D, -NEAR_D]), zeros, np.zeros(2, np.intp)
        )
        nearer, farther = pictures.colour
        assert (nearer - farther).min() > 0.4


def test_what_was_fitted_survives_a_file(lookup: FocusLookup) -> None:
    extractor = lookup.extractor
    assert extractor.kind == WITH_COLOUR
    arrays = extractor.arrays()
    check_fitted(WITH_COLOUR, arrays)
    again = focus_extractor(WITH_COLOUR, extractor.encoder, arrays)
    np.testing.assert_array_equal(again.model.colour.mean, extractor.model.colour.mean)
    with pytest.raises(ValueError, match=r"colour_profile\.mean is missing"):
        check_fitted(WITH_COLOUR, {k: v for k, v in arrays.items() if not k.startswith("colour_")})
    arrays["colour_profile.mean"] = arrays["colour_profile.mean"][::2]
    with pytest.raises(ValueError, match=r"colour_profile\.mean has the shape 96"):
        check_fitted(WITH_COLOUR, arrays)


def test_without_colours_nothing_is_fitted(tmp_path: Path) -> None:
    grey = synthetic_cache(tmp_path, planes=10)
    with pytest.raises(ReadingError, match="holds no colours, which this preset reads"):
        belief_focus_lookup(grey, split_of(grey, 0).train, PRESET, cell_features(grey))


def test_the_study_counts_how_often_the_side_is_right(
    cache: PerceptCache, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = in_the_twin(cache)
    near, far = rows[0], rows[-1]
    assert near["one_picture"] == 1.0
    assert far["one_picture"] < 0.7
    assert near["views"] == 9
    command.main(["--cache", str(cache.path), "--markdown", str(tmp_path / "table.md")])
    assert capsys.readouterr().out.strip() == (tmp_path / "table.md").read_text().strip()


def test_the_study_says_what_a_cache_lacks(tmp_path: Path) -> None:
    grey = synthetic_cache(tmp_path, planes=10)
    with pytest.raises(SystemExit, match="dasha cache build --colour"):
        command.main(["--cache", str(grey.path)])
    with pytest.raises(SystemExit, match="no percept cache"):
        command.main(["--cache", str(tmp_path / "nothing")])
