"""A flood reaches every topic, ends by itself, and reports its rates."""

from __future__ import annotations

import pytest
from ros_harness import Probe

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.ros.validation.hostile import TOPICS
from dasha_ros.soak.floods import Floods

pytestmark = pytest.mark.graph


def test_a_flood_reports_its_rates(probe: Probe) -> None:
    with Floods(1.0, seed=1, rate_hz=100.0) as flood:
        probe.until(flood.is_over, "the end of the flood")
        rates_hz = flood.rates_hz()
    assert rates_hz.keys() == {topic for _, topic, _ in TOPICS}
    # No more than was asked for; how much less, the machine decides.
    assert all(0.0 < rate_hz <= 102.0 for rate_hz in rates_hz.values())


def test_a_flood_is_visible_and_ends_when_left_early(probe: Probe) -> None:
    with Floods(3600.0, seed=1) as flood:
        probe.until(lambda: flood.is_seen_by(probe.node), "the strangers")
    assert flood.is_over()


def test_a_failed_flood_raises_an_error() -> None:
    with Floods(1.0, seed=1, namespace="no namespace") as flood:
        for process in flood._processes:
            process.wait()
        with pytest.raises(RuntimeError, match="ended with 1"):
            flood.rates_hz()
