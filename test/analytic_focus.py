"""What tests of the rivals share: a plane in closed form, and its contrast profile."""

from __future__ import annotations

import numpy as np
from analytic_rig import AnalyticRig, Thing, _tenengrad

from dasha_ros.control.loop import run_focus
from dasha_ros.control.step import FocusOutcome
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import FocusPolicy, FocusTask
from dasha_ros.policies.rivals.contrast_profile import ContrastProfile

CAT = frozenset({"cat"})


def plane(depth: float, start: float, noise: float = 0.0, seed: int = 0) -> AnalyticRig:
    """A textured plane at ``depth`` [1/m], the lens at ``start`` [V]."""
    thing = Thing(dioptres=depth)
    return AnalyticRig((thing,), background_dioptres=depth, position=start, noise=noise, seed=seed)


def focus(rig: AnalyticRig, policy: FocusPolicy, max_steps: int = 400) -> FocusOutcome:
    """Run one goal."""
    return run_focus(rig, policy, FocusTask(rig.lens, CAT, max_steps=max_steps))


def final_blur(rig: AnalyticRig) -> float:
    """Blur radius of the cat now [px]."""
    return rig.blur_of(rig.things[0])


def two_depths(depth: float, start: float) -> AnalyticRig:
    """A cat before a background with five times its texture."""
    thing = Thing(dioptres=depth)
    return AnalyticRig((thing,), background_dioptres=0.1, background_texture=5.0, position=start)


def profile() -> ContrastProfile:
    """Of the analytic rig's contrast, with scenes that differ only by an offset."""
    radii = np.concatenate([[0.0], np.geomspace(0.3, 90.0, 40)])
    curve = np.array([_tenengrad(radius) for radius in radii])
    return ContrastProfile.fit(radii, np.stack([curve, 3.0 * curve, 0.2 * curve]))


__all__ = ["CAT", "ErrorCode", "final_blur", "focus", "plane", "profile", "two_depths"]
