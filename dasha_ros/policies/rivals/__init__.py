"""Floor 4. The rivals, behind the same policy protocol as the agents.

Importing this package adds those that a graph can run to the registry of policies. The
phase-shift agent [11] needs a signal that the twin can only make from its truth
(`policies.rivals.phase_shift`), so only an evaluation can run it.
"""

from dasha_ros.policies.registry import imported, register_exposure_policy, register_focus_policy

FOCUS = {
    "constant": "constant:ConstantFocus",
    "contrast": "contrast:ContrastFocus",
    "golden_section": "golden_section:GoldenSectionFocus",
    "hill_climb": "hill_climb:HillClimbFocus",
    "libcamera": "libcamera:LibcameraFocus",
    "profile_fit": "profile_fit:ProfileFitFocus",
    "sweep": "sweep:SweepFocus",
    "ten_dqn": "ten_dqn:TenDqnFocus",
}
"""Rivals of A^L: name and ``module:class`` below this package."""
EXPOSURE = {
    "auto_mean_grey": "auto_exposure:MeanGreyExposure",
    "auto_once": "auto_exposure:OnceExposure",
    "constant": "constant:ConstantExposure",
}
"""Rivals of A^H."""


for _name, _target in FOCUS.items():
    register_focus_policy(_name, imported(f"{__name__}.{_target}"))
for _name, _target in EXPOSURE.items():
    register_exposure_policy(_name, imported(f"{__name__}.{_target}"))
