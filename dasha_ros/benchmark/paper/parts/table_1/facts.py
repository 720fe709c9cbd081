"""What is known of each method without measuring: the marks of the paper's Table 1, and its numbers."""

from __future__ import annotations

from dataclasses import dataclass

NO_REFERENCE, REFERENCE_BASED = "NR", "RB"


@dataclass(frozen=True)
class Facts:
    """The marks of one method, as in the paper's Table 1."""

    title: str
    quality: str
    """Image quality assessment: no-reference or reference-based."""
    pre_trained: bool
    """Whether it was trained virtually before it acts."""
    deep: bool
    """Whether it reads deep features."""
    note: str = ""


@dataclass(frozen=True)
class Claim:
    """A column of the paper's Table 1."""

    facts: Facts
    seconds: float
    steps: float | None
    ours: str
    """The policy of ours that stands for it."""


CLAIMS = (
    Claim(Facts("phase shift [11]", REFERENCE_BASED, False, False), 58.0, 12.5, "phase_shift_rl"),
    Claim(Facts("TEN [12]", REFERENCE_BASED, True, False), 366.0, None, "ten_dqn"),
    Claim(Facts("DASHA", NO_REFERENCE, False, True), 10.0, 2.0, "paper"),
)
"""Table 1 of the paper."""

FACTS = {
    "phase_shift_rl": Facts(
        "phase shift [11], ours", REFERENCE_BASED, True, False,
        "reads a phase signal that the twin makes of its truth: the camera has no phase pixels",
    ),
    "ten_dqn": Facts(
        "TEN [12], ours", REFERENCE_BASED, True, False,
        "the reference is in its training alone, the greatest Tenengrad of the scene; it acts without one",
    ),
    "contrast": Facts(
        "full sweep", NO_REFERENCE, False, False, "a picture at every position: how the paper timed [12]"
    ),
    "paper": Facts("DASHA, preset paper", NO_REFERENCE, True, True),
    "plus": Facts("DASHA, preset plus", NO_REFERENCE, True, True),
    "planner": Facts(
        "planner", NO_REFERENCE, True, True, "believes what plus believes, and looks ahead"
    ),
    "greedy": Facts("greedy", NO_REFERENCE, True, True, "the same, one move ahead"),
    "coarse_to_fine": Facts("classical (coarse to fine)", NO_REFERENCE, False, False),
    "libcamera": Facts("libcamera's contrast scan", NO_REFERENCE, False, False),
    "golden_section": Facts("golden section", NO_REFERENCE, False, False),
    "profile_fit": Facts(
        "profile fit", NO_REFERENCE, True, False, "its contrast profile is the mean of training photographs"
    ),
    "hill_climb": Facts("hill climbing", NO_REFERENCE, False, False),
    "constant": Facts(
        "constant voltage", NO_REFERENCE, False, False, "the middle of the band, which it has to know"
    ),
}  # fmt: skip
"""By policy, in the order of the table."""
