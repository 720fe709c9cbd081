from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from dasha_ros.freshness.command import NO_COMMAND
from dasha_ros.freshness.state import CaptureInfo, LensState
from dasha_ros.perception.annotate import annotate, to_jpeg
from dasha_ros.perception.percept import Detection, Percept
from dasha_ros.perception.quality.histogram import EDGES

PERCEPT = Percept(
    capture=CaptureInfo(1, 2e4, 0.0, NO_COMMAND, 1),
    lens=LensState(NO_COMMAND, 47.0, 46.98, True, 1),
    width=2048,
    height=1088,
    encoder="none",
    latent=np.zeros(1, np.float32),
    histogram_counts=np.zeros(10, np.uint32),
    histogram_edges=EDGES,
    histogram_peak=38.25,
    mean_grey=40.0,
    brisque=12.5,
    sharpness=0.1,
    detections=(
        Detection("dog", 0.9, (640.0, 320.0, 1280.0, 640.0)),
        Detection("cat", 0.2, (0, 0, 320, 320)),
    ),
)
IMAGE = np.full((340, 640), 90, np.uint8)


def coloured(picture):
    """Where it is not grey."""
    return np.ptp(picture.astype(int), axis=2) > 20


def test_boxes_are_scaled_to_the_picture():
    drawn = coloured(annotate(IMAGE, PERCEPT))
    for row, column in ((150, 200), (150, 400), (100, 300), (200, 300)):
        assert drawn[row - 2 : row + 3, column - 2 : column + 3].any(), (row, column)
    assert not drawn[110:190, 215:385].any()


def test_weak_detections_are_drawn_only_on_request():
    assert not coloured(annotate(IMAGE, PERCEPT))[10:90, 98:103].any()
    assert coloured(annotate(IMAGE, PERCEPT, min_score=0.1))[30:90, 98:103].any()


def test_settings_are_written_at_the_bottom():
    bare = annotate(IMAGE, replace(PERCEPT, detections=()))
    assert (bare[:290] == 90).all()
    other = annotate(IMAGE, replace(PERCEPT, detections=(), capture=CaptureInfo(1, 24.0, 0.0, NO_COMMAND, 1)))
    assert (bare != 90).any()
    assert (bare != other).any()


@pytest.mark.parametrize("box", [(0, 0, 2048, 1088), (-50, -50, 10, 10), (2000, 1000, 2100, 1200)])
def test_boxes_at_the_edges_can_be_drawn(box):
    picture = annotate(IMAGE, replace(PERCEPT, detections=(Detection("dining table", 0.9, box),)))
    assert picture.shape == (340, 640, 3)
    assert (picture != annotate(IMAGE, replace(PERCEPT, detections=()))).any()


def test_the_given_picture_is_not_drawn_on():
    colour = np.dstack([IMAGE] * 3)
    annotate(colour, PERCEPT)
    assert (colour == 90).all()


def test_jpeg_decodes_and_higher_quality_is_larger():
    picture = np.random.default_rng(0).integers(0, 256, (60, 80), dtype=np.uint8)
    small, large = to_jpeg(picture, 20), to_jpeg(picture, 95)
    assert len(small) < len(large)
    decoded = cv2.imdecode(np.frombuffer(large, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert np.abs(decoded.astype(int) - picture).mean() < 8
