"""libcamera's continuous mode, without phase detection."""

from __future__ import annotations

from analytic_rig import AnalyticRig, Thing

from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.policy import FocusTask
from dasha_ros.policies.rivals.libcamera import FARTHEST_D, RETRIGGER_FRAMES, LibcameraContinuous


def test_the_continuous_mode_scans_when_the_contrast_has_changed_and_is_steady_again():
    rig = AnalyticRig((Thing(dioptres=2.0),), position=lens_model().position(2.0))
    mode, percept = LibcameraContinuous(FocusTask(rig.lens)), rig.observe()
    for contrast in (1.0, 0.8, 1.0):
        assert mode.act(percept, contrast) == percept.lens.commanded_position
    # Less than three quarters: a change. Then so many steady pictures, and the scan begins at infinity.
    moves = [mode.act(percept, 0.5) for _ in range(RETRIGGER_FRAMES + 1)]
    here = percept.lens.commanded_position
    assert moves[: RETRIGGER_FRAMES - 1] == [here] * (RETRIGGER_FRAMES - 1)
    assert moves[RETRIGGER_FRAMES - 1] == rig.lens.position(FARTHEST_D)


def test_its_scan_ends_at_the_peak_and_then_it_rests():
    rig = AnalyticRig((Thing(dioptres=2.0),), position=24.0)
    mode, percept = LibcameraContinuous(FocusTask(rig.lens)), rig.observe()

    def contrast():
        return 1.0 / (1.0 + (rig.lens.dioptres(rig.position) - 2.0) ** 2)

    mode.act(percept, 10.0)
    positions = []
    for _ in range(60):
        percept = rig.move(mode.act(percept, contrast()))
        positions.append(rig.position)
    assert abs(rig.lens.dioptres(positions[-1]) - 2.0) < 0.15
    assert len(set(positions[-20:])) == 1
