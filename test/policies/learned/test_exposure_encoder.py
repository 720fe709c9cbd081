"""What A^H sees, as in the paper."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from analytic_rig import AnalyticRig

from dasha_ros.policies.learned.exposure_encoder import LatentExposureExtractor

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
