"""Glances at messages of pictures that nobody waits for."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from lamps import AT_REST, Camera, cosine, preview_times

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.freshness.command import NO_COMMAND
from dasha_ros.freshness.state import CaptureInfo
from dasha_ros.ros.perception.flicker_glances import FlickerGlances
from dasha_ros.ros.transport.image import ImageWriter


def glances_at(rate_hz: float, pictures: int, broken: bool = False) -> FlickerGlances:
    random = np.random.default_rng(2)
    camera, now = Camera(random, 2e-3), SimpleNamespace(ns=0)
    glances = FlickerGlances(lambda: now.ns)
    for number, at_s in enumerate(preview_times(random, pictures, rate_hz)):
        image = ImageWriter("camera").write(camera.picture(at_s, cosine(100.0, 0.4, 0.0)), "mono8")
        if broken:
            image.encoding = "a painting"
        now.ns = round(at_s * 1e9)
        glances.glance(image, CaptureInfo(now.ns, 2000.0, 0.0, NO_COMMAND, number, driver="c", lens=AT_REST))
    return glances


def test_it_sees_a_lamp_in_previews_and_tells_the_diagnostics() -> None:
    glances = glances_at(2.0, 24)
    assert glances.hz == 100.0
    assert glances.values() == {"flicker_hz": 100.0, "flicker_depth": pytest.approx(0.4, abs=0.1)}


def test_a_fast_stream_is_looked_at_ten_times_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    monkeypatch.setattr(FlickerGlances, "see", lambda self, grey, capture: looked.append(capture.stamp_ns))
    glances_at(200.0, 400)
    assert 10 <= len(looked) <= 22
    assert min(np.diff(looked)) >= 100_000_000


def test_pictures_that_can_not_be_read_tell_nothing_and_harm_nothing() -> None:
    glances = glances_at(2.0, 24, broken=True)
    assert (glances.hz, glances.values()) == (0.0, {})
