"""The paper's loops of light and distance: what every episode sees, and what they do not touch."""

from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_cache import synthetic_cache

from dasha_ros.learning.envs.exposure_batch import ExposureWorlds
from dasha_ros.learning.envs.schedule import Cycle, distance_cycle, drawn, light_cycle
from dasha_ros.learning.envs.worlds import FocusWorlds
from dasha_ros.learning.fitting.exposure import latent_exposure_lookup
from dasha_ros.learning.training.preset_models import ExposureWorld, FocusWorld
from dasha_ros.learning.training.presets import load_preset
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.optics.profiles import lens_model
from dasha_ros.twin.world import FACTORY_EXPOSURE_US


@given(st.lists(st.floats(1.0, 300.0), min_size=1, max_size=40), st.integers(1, 500), st.integers(0, 50_000))
def test_a_loop_shows_each_value_for_so_many_steps_and_begins_anew(values, every, steps):
    loop = Cycle(tuple(values), every)
    loop.step(steps)
    assert loop.value == values[(steps // every) % len(values)]
    assert loop.at(steps + every * len(values)) == loop.value


def test_the_papers_light_goes_from_13_to_300_lx_in_steps_of_at_most_10():
    values = light_cycle(ExposureWorld(schedule="loop")).values
    assert (values[0], values[-1]) == (13.0, 300.0)
    assert max(b - a for a, b in pairwise(values)) == 10.0
    assert light_cycle(ExposureWorld()) is None
    with pytest.raises(ValueError, match="use the schedule `drawn`"):
        light_cycle(ExposureWorld(schedule="loop", light_lx=(1000.0, 2000.0)))


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    cache = synthetic_cache(tmp_path_factory.mktemp("cache"), planes=4)
    return latent_exposure_lookup(cache, load_preset("paper").encoder)


def test_episodes_of_the_paper_begin_with_factory_values_in_the_light_of_the_hour(table):
    exposures, world = exposure_table(), load_preset("paper").exposure.world
    worlds = ExposureWorlds(table, exposures, world, 2)
    rows, rng, seen = np.arange(2), np.random.default_rng(0), []
    for _ in range(31):
        worlds.place(rows, rows, rng)
        assert (worlds.index == exposures.nearest(FACTORY_EXPOSURE_US)).all()
        seen.append(float(2.0 ** worlds.log_lx[0]))
        worlds.step(world.change_every)
    assert seen == pytest.approx([*light_cycle(world).values, 13.0])


def test_distances_of_the_paper_loop_and_a_resumed_run_goes_on_in_the_same_hour(table):
    world = FocusWorld(schedule="loop", distance_m=(1.4, 2.0), change_every=100)
    worlds = FocusWorlds(lens_model(), table.views, world, 3)
    rows, rng = np.arange(3), np.random.default_rng(0)
    worlds.step(350)
    worlds = pickle.loads(pickle.dumps(worlds))
    worlds.place(rows, rows, rng)
    assert 1.0 / worlds.object_dioptres == pytest.approx(1.7)
    assert distance_cycle(world).at(350) == 1.7


def test_a_network_is_judged_in_a_world_that_is_drawn():
    paper = load_preset("paper")
    results = drawn(paper)
    assert (results.exposure.world.schedule, results.focus.world.schedule) == ("drawn", "drawn")
    assert results.exposure.world.exposure_index == paper.exposure.world.exposure_index
    assert drawn(load_preset("plus")) == load_preset("plus")
