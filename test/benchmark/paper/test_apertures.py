"""Lens and exposure over light and aperture, on the twin."""

from __future__ import annotations

from pathlib import Path

import pytest

from dasha_ros.benchmark.episodes import Goal
from dasha_ros.benchmark.paper.part import Context
from dasha_ros.benchmark.paper.parts import apertures
from dasha_ros.benchmark.paper.run import run_part


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, fetched) -> None:
    for name in ("photos/chelsea.png", "models/yolov3-tiny.onnx", "models/efficientnet-lite0-grid.onnx"):
        fetched(name)
    monkeypatch.setattr(apertures, "QUICK_STOPS", (2.0, 8.0))
    monkeypatch.setattr(apertures, "QUICK_LIGHTS_LX", (13.0, 300.0))
    monkeypatch.setattr(apertures, "QUICK_GOALS", (Goal("cat", "cat"),))
    monkeypatch.setattr(apertures, "WIDTH", 640)
    monkeypatch.setattr(apertures, "HEIGHT", 340)


def test_a_closed_aperture_costs_light_that_time_makes_up_for_until_there_is_no_more(
    small: None, tmp_path: Path
) -> None:
    told: list[str] = []
    context = Context(tmp_path, quick=True, note=told.append)
    cells = {(c["f_number"], c["illuminance_lx"]): c for c in apertures.compute(context)["cells"]}
    open_, closed = cells[2.0, 300.0], cells[8.0, 300.0]
    assert open_["found"]["mean"] == closed["found"]["mean"] == 1.0
    assert closed["exposure_ms"]["mean"] > 4 * max(open_["exposure_ms"]["mean"], 10.0)
    assert abs(open_["displacement_mm"]["mean"] - open_["focused_mm"]["mean"]) < 0.2
    # 16 times less light than at f/2, and 23 times less than at 300 lx: three seconds, of one that there is.
    assert cells[8.0, 13.0]["was_exposed"]["mean"] == 0.0
    assert cells[8.0, 13.0]["displacement_mm"] is None
    run_part(apertures.PART, context, {"command": "dasha"})
    assert told == [f"4 of 4 episodes came from {tmp_path / 'apertures.jsonl'}"]


def test_extra_light_is_made_up_for_where_the_exposure_falls_at_every_aperture() -> None:
    def cell(stop: float, lux: float, milliseconds: float, mm: float) -> dict:
        held = {"found": 1.0, "was_exposed": 1.0, "exposure_ms": milliseconds, "displacement_mm": mm}
        row = {key: {"mean": value} for key, value in (held | {"blur_px": 0.5}).items()}
        return {"f_number": stop, "illuminance_lx": lux, **row}

    cells = [cell(2.0, 13.0, 90.0, -5.1), cell(2.0, 300.0, 4.0, -5.3), cell(8.0, 13.0, 900.0, -5.0)]
    cells.append({**cell(8.0, 300.0, 0.0, 0.0), "exposure_ms": None, "displacement_mm": None})
    robust, light, blurred = apertures.PART.claims({"policy": "plus", "cells": cells})
    assert (robust.holds, light.holds, blurred.holds) == (True, True, False)
    assert "at 2 of 2 apertures; the mean lens position differs by 0.20 mm" in light.found
    cells[0] = cell(2.0, 13.0, 3.0, -5.1)
    assert apertures.PART.claims({"policy": "plus", "cells": cells})[1].holds is False
