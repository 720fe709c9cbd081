"""The paper's changes of light and distance, one after the other, counted in steps of learning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dasha_ros.learning.training.preset_models import ExposureWorld, FocusWorld, Preset
from dasha_ros.twin.world import PAPER_DISTANCES_M, PAPER_ILLUMINANCES_LX


@dataclass
class Cycle:
    """Values that follow each other and begin anew after the last; the same for all episodes of a batch.

    The paper changes light and distance every 30 minutes (V.A.2, V.B). At the pace of its Table 1, 10 s for
    two steps, these are 360 steps.
    """

    values: tuple[float, ...]
    every: int
    """Steps between two changes."""
    steps: int = 0
    """That were made so far."""

    @property
    def value(self) -> float:
        """The value now."""
        return self.at(self.steps)

    def at(self, steps: int) -> float:
        """The value after so many steps."""
        return self.values[steps // self.every % len(self.values)]

    def step(self, count: int = 1) -> None:
        """So many steps were made."""
        self.steps += count


def light_cycle(world: ExposureWorld) -> Cycle | None:
    """The paper's illuminances within a world's limits [lx]; ``None`` where light is drawn.

    Raises:
        ValueError: None is within them.
    """
    if world.schedule == "drawn":
        return None
    return Cycle(_within(PAPER_ILLUMINANCES_LX, world.light_lx), world.change_every)


def distance_cycle(world: FocusWorld) -> Cycle | None:
    """The paper's distances within a world's limits [m]; ``None`` where distances are drawn.

    Raises:
        ValueError: None is within them.
    """
    if world.schedule == "drawn":
        return None
    return Cycle(_within(PAPER_DISTANCES_M, world.distance_m), world.change_every)


def _within(values: Sequence[float], limits: tuple[float, float]) -> tuple[float, ...]:
    low, high = limits
    inside = tuple(value for value in values if low <= value <= high)
    if not inside:
        raise ValueError(
            f"no value of the paper's schedule is in {low:g} to {high:g}: use the schedule `drawn`"
        )
    return inside


def drawn(preset: Preset) -> Preset:
    """The preset with a world that is drawn anew for every episode.

    For judging a network: episodes that all begin together would show it the first value of a loop alone.
    """
    parts = {
        name: part.model_copy(update={"world": part.world.model_copy(update={"schedule": "drawn"})})
        for name, part in (("exposure", preset.exposure), ("focus", preset.focus))
    }
    return preset.model_copy(update=parts)
