"""Rewards, prices and ends of episodes, for batches (Eq. 7, Eq. 8, Algorithms 1 and 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dasha_ros.policies.learned.exposure_encoder import ExposureInputs
from dasha_ros.policies.moves import MoveLog
from dasha_ros.policies.policy import ExposureRule
from dasha_ros.policies.rewards import GOOD_PEAK, equation_7, equation_8, is_inside

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class LensStep:
    """What the lens did in one step of each episode; shape (batch,)."""

    moved: Flags
    turned: Flags
    """Whether it turned back by more than `moves.REVERSAL_DIOPTRES`."""


@dataclass(frozen=True)
class FocusRules:
    """Rewards and ends of A^L's episodes."""

    horizon: int = 10
    """Steps after which an episode is cut off."""
    end_on_detection: bool = False
    """Algorithm 2, line 5: the episode ends once the object is detected."""
    move_price: float = 0.0
    """Subtracted from Eq. 8 for every move of the lens."""
    reversal_price: float = 0.0
    """Subtracted for every turn by more than `moves.REVERSAL_DIOPTRES`."""
    hunting_price: float = 0.0
    """Subtracted in addition for every turn after the first: from then on the lens is hunting."""
    defocus_price: float = 0.0
    """Subtracted at every step, times `FocusEncoder.defocus_probability`. Detection and BRISQUE hardly
    distinguish 1 px of blur from 2 px; several pictures of one scene do."""
    false_end_price: float = 0.0
    """Subtracted at every step in which the lens stays, times the probability that the object itself is not
    sharp, by its own detail (`FocusEncoder.sharp_probability`): what a goal costs that ends as found on a
    blurred object."""
    as_deployed: bool = False
    """Whether steps that would end a goal are held against the object's own detail, as on a robot; see
    `policies.learned.deployed.as_deployed`. So a network learns what an end without evidence costs."""
    detection: bool = True
    """Whether Eq. 8 requires a detection. ``False`` is an ablation: -0.01 B is always paid. Ends, prices and
    observations stay the same."""
    exposure_reward: float = 0.0
    """Weight of Eq. 7 of the newest picture, paid in addition: one reading of the intrinsic reward that A^H
    gives A^L at every step (paper, IV.C)."""

    def rewards(
        self,
        detected: Flags,
        brisque: Array,
        log: MoveLog,
        step: LensStep,
        *,
        defocus_probability: Array,
        sharp_probability: Array,
    ) -> dict[str, Array]:
        """The terms that add up to each episode's reward, each of shape (batch,).

        Args:
            detected: Whether the newest picture shows a wanted object.
            brisque: BRISQUE of the newest picture.
            log: Moves of the lens, including this step.
            step: The lens's part of this step.
            defocus_probability: Probability of defocus of the encoder, after this step.
            sharp_probability: Probability that the object itself is sharp, after this step; NaN: unknown.
        """
        again = step.turned & (log.reversals > 1)
        known = np.nan_to_num(sharp_probability, nan=1.0)
        pays_quality = detected if self.detection else np.ones_like(detected)
        return {
            **equation_8(pays_quality, brisque),
            "move": -self.move_price * step.moved,
            "reversal": -self.reversal_price * step.turned - self.hunting_price * again,
            "defocus": -self.defocus_price * defocus_probability,
            "false_end": -self.false_end_price * np.where(step.moved, 0.0, 1.0 - known),
        }

    def intrinsic(self, peak: Array, brisque: Array) -> dict[str, Array]:
        """The term of Eq. 7 for the newest picture, of shape (batch,); empty without ``exposure_reward``."""
        if not self.exposure_reward:
            return {}
        paid = equation_7(peak, is_inside(peak, GOOD_PEAK), brisque)
        return {"intrinsic": self.exposure_reward * (paid["exposure"] + paid["quality"])}


@dataclass(frozen=True)
class ExposureRules:
    """Rewards and ends of A^H's episodes."""

    horizon: int = 6
    """Steps after which an episode is cut off."""
    criterion: Literal["peak", "mean_grey"] = "mean_grey"
    """The quantity for P in Eq. 7, and the rule by which pictures are paid +1. ``peak``: the centre of the
    fullest bin, by the rule ``good_peak``, as in the paper. ``mean_grey``: the mean, by ``well_exposed``."""
    end: Literal["always", "reached"] = "reached"
    """``always``: Algorithm 1, every step ends the episode, with a penalty or with the hand-over.
    ``reached``: after a bad picture the episode continues."""
    hand_over: ExposureRule = "well_exposed"
    """When A^H hands over to A^L and its goal counts as reached; see `policies.reached`."""

    def rewards(self, pictures: ExposureInputs) -> dict[str, Array]:
        """The terms that add up to each episode's reward, each of shape (batch,)."""
        level = pictures.peak if self.criterion == "peak" else pictures.mean_grey
        return equation_7(level, self.good(pictures), pictures.brisque)

    def good(self, pictures: ExposureInputs) -> Flags:
        """Whether each picture is paid +1."""
        return pictures.reached("good_peak" if self.criterion == "peak" else "well_exposed")

    def terminated(self, pictures: ExposureInputs) -> Flags:
        """Whether each episode ends."""
        if self.end == "always":
            return np.ones(len(pictures.peak), bool)
        return self.reached(pictures)

    def reached(self, pictures: ExposureInputs) -> Flags:
        """Whether A^H hands over to A^L in each episode."""
        return pictures.reached(self.hand_over)
