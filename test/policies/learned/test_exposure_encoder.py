"""What A^H sees, as in the paper."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from analytic_rig import AnalyticRig
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.policies.learned.exposure_encoder import (
    REACH,
    ExposureInputs,
    LatentExposureExtractor,
    ReadoutExposureEncoder,
    RelativeExposureEncoder,
)

ROW = np.zeros(1, np.intp)


def observed(percept):
    extractor = LatentExposureExtractor(percept.encoder, percept.latent.size)
    encoder = extractor.observation_encoder(146, 1)
    encoder.reset(ROW, extractor.read(percept, 7))
    return encoder.observation()[0]


def test_the_paper_s_observation_is_latent_counts_and_edges():
    percept = AnalyticRig().observe()
    vector = observed(percept)
    n = percept.latent.size
    assert vector.shape == (n + 21,)
    assert vector.dtype == np.float32
    assert np.array_equal(vector[:n], percept.latent)
    assert vector[n : n + 10].sum() == pytest.approx(1.0)
    assert vector[n : n + 10] == pytest.approx(percept.histogram_counts / percept.histogram_counts.sum())
    assert vector[n + 10 :] == pytest.approx(percept.histogram_edges / 255.0)


def test_an_empty_histogram_makes_no_nan():
    empty = replace(AnalyticRig().observe(), histogram_counts=np.zeros(10, np.uint32))
    assert np.isfinite(observed(empty)).all()


def inputs(index: int, grey: float) -> ExposureInputs:
    """A flat picture of this grey level, made with the exposure of this index."""
    shares = np.zeros((1, 10))
    shares[0, min(int(grey / 25.5), 9)] = 1.0
    return ExposureInputs(
        index=np.array([index]), shares=shares, peak=np.array([grey]), mean_grey=np.array([grey]),
        brisque=np.array([20.0]), latent=np.zeros((1, 2), np.float32),
    )  # fmt: skip


@given(index=st.integers(0, 145), ev=st.floats(-5.5, 1.0))
def test_the_middle_action_is_where_a_linear_sensor_shows_mid_grey(index: int, ev: float) -> None:
    encoder = RelativeExposureEncoder(1000, 1, 2)
    encoder.reset(ROW, inputs(index + 400, 100.0 * 2.0**ev))
    aim = int(encoder.index(np.array([REACH]))[0])
    ev_a_step = np.log2(1e6 / 24.0) / 145
    assert ev + (aim - index - 400) * ev_a_step == pytest.approx(0.0, abs=0.51 * ev_a_step)


@given(
    grey=st.floats(0.0, 255.0), one=st.integers(60, 90), other=st.integers(60, 90), action=st.integers(20, 28)
)
def test_what_an_action_does_to_a_picture_does_not_depend_on_the_light(
    grey: float, one: int, other: int, action: int
) -> None:
    went = []
    for index in (one, other):
        encoder = RelativeExposureEncoder(1000, 1, 2)
        encoder.reset(ROW, inputs(index + 300, grey))
        went.append(int(encoder.index(np.array([action]))[0]) - index)
    assert went[0] == went[1]


@pytest.mark.parametrize(("grey", "ends_at"), [(0.0, 145), (255.0, 0)])
def test_steps_end_where_the_table_ends(grey: float, ends_at: int) -> None:
    encoder = RelativeExposureEncoder(146, 1, 2)
    encoder.reset(ROW, inputs(145 - ends_at, grey))
    reached = encoder.index(np.arange(encoder.actions)[None])
    assert reached.shape == (1, encoder.actions)
    assert 0 <= reached.min() <= reached.max() <= 145
    encoder.reset(ROW, inputs(ends_at, grey))
    assert ends_at in encoder.index(np.arange(encoder.actions)[None])


@given(index=st.integers(0, 145), grey=st.floats(0.0, 255.0))
def test_a_policy_of_steps_sees_what_one_of_indices_sees(index: int, grey: float) -> None:
    seen = []
    for kind in (ReadoutExposureEncoder, RelativeExposureEncoder):
        encoder = kind(146, 1, 2)
        encoder.reset(ROW, inputs(index, grey))
        seen.append(encoder.observation())
    assert np.array_equal(*seen)
