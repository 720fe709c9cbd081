"""Steps by turns: as many of each kind, in blocks, and only the timed ones count for the onlooker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.benchmark.step import WARM_UP
from dasha_ros.cli import app
from dasha_ros.cli.benchmark.measure import turns
from dasha_ros.cli.benchmark.measure.turns import Meter, by_turns


class Bench:
    """A step takes 10 ms alone, and 12 ms beside an onlooker, which uses 1 ms and 100 bytes of each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steps, self.looks = 0, False
        self.order: list[bool] = []
        self._seen = 0
        monkeypatch.setattr(turns, "timed_step", self._step)
        monkeypatch.setattr(turns.sys, "setswitchinterval", lambda s: None)

    def _step(self, rig: object, position: float) -> dict[str, float]:
        self.order.append(self.looks)
        self._seen += self.looks
        return {"step": 12.0 if self.looks else 10.0}

    @contextmanager
    def onlooker(self) -> Iterator[Meter]:
        self.looks, self._seen = True, 0
        yield lambda: (self._seen * 1e-3, self._seen * 100.0)
        self.looks = False


@pytest.mark.parametrize("steps", [10, 20, 45])
def test_steps_are_timed_by_turns_and_warm_ups_are_not(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    bench = Bench(monkeypatch)
    found = by_turns(None, steps, bench.onlooker)
    assert (len(found.alone_ms), len(found.beside_ms)) == (steps, steps)
    blocks = -(-steps // 20)
    assert bench.order.count(True) == bench.order.count(False) == steps + blocks * WARM_UP
    changes = sum(a != b for a, b in zip(bench.order, bench.order[1:], strict=False))
    assert changes == 2 * blocks - 1
    assert found.taken == pytest.approx(100.0 * steps)
    assert found.ratio() == {
        "step_ms_p50": 10.0,
        "beside_ms_p50": 12.0,
        "ratio": 1.2,
        "cpu_ms_per_step": 1.0,
        "steps": steps,
    }


def test_the_onlooker_ends_when_a_step_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[bool] = []

    @contextmanager
    def onlooker() -> Iterator[Meter]:
        try:
            yield lambda: (0.0, 0.0)
        finally:
            ended.append(True)

    def fails(rig: object, position: float) -> dict[str, float]:
        if len(calls) > 25:
            raise TimeoutError("no answer")
        calls.append(position)
        return {"step": 1.0}

    calls: list[float] = []
    monkeypatch.setattr(turns, "timed_step", fails)
    with pytest.raises(TimeoutError):
        by_turns(None, 20, onlooker)
    assert ended == [True]


def test_an_unknown_kind_of_pictures_is_refused_before_anything_starts() -> None:
    answer = CliRunner().invoke(app, ["benchmark", "record", "--images", "png"])
    assert answer.exit_code == 2
    assert "--images 'png' is none of raw, jpeg and none" in answer.output
