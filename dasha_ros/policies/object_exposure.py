"""A^H's second look: from the light of the picture to the light of the object.

Before a window the picture is bright and the object in it black; in a dark room a white object is clipped.
So once the picture is exposed well and the object is seen, one or two steps bring the object itself to where
detectors see it best. The detector's own score is the judge: what made the object worse is taken back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from dasha_ros.optics.exposure_table import ExposureTable
from dasha_ros.perception.percept import Box, Detection, Percept
from dasha_ros.perception.quality.light import Light
from dasha_ros.policies.policy import MIN_SCORE, ExposureDecision, ExposureRule, ExposureTask
from dasha_ros.policies.reached import BLACK_GREY, bright_share, shares_of
from dasha_ros.policies.selection import EVERYTHING, Selection

BRIGHT_AIM = 85.0
"""Grey level to aim at for the brighter half of an object that is about as bright as the picture, or more."""
MAX_BRIGHT = 0.1
"""Such an object is too bright if more than this share is clipped or nearly so,"""
MIN_BRIGHT_GREY = 30.0
"""and too dark if its brighter half is darker than this."""
MIN_OPEN_SHARE = 0.25
"""Least share of a clipped object that counts as in range; limits how far a step down trusts to luck."""
BACKLIT = 0.8
"""An object of less than this share of the picture's mean grey level stands before something brighter."""
MAX_FRAME_GREY = 180.0
"""So does every object of a picture that is brighter than this: it was made so to show its shadows."""
DARK_SHARE, VERY_DARK_SHARE = 0.18, 0.15
"""It is too dark if its darker half has less than the first share of the picture's mean grey level. With less
than the second an object that is not brighter than the picture is backlit, too, whatever shines through,"""
MAX_THROUGH = 0.4
"""unless more than this share of it is clipped."""
MAX_DARK_GREY = 90.0
"""It is too bright if its darker half is brighter than this."""
MIN_DARK_THROUGH = 48.0
"""It is also too dark if its darker half is darker than this, and the brighter half is the background that
shines through."""
DARK_AIM, SOLID_AIM = 60.0, 95.0
"""Grey levels to aim at: for the darker half of a backlit object if the brighter half is the background that
shines through; for all of it if not."""
LEAST_EV, MAX_EV = 0.3, 6.0
"""Shortest and longest step [EV]."""
COMMANDS = 2
"""Most commands of a second look."""
WORSE = 0.05
"""A score that falls by more than this is worse, and not noise."""
UNSURE = 0.8
"""An object that is dark or clipped scores low: this share of the least score is enough to look."""
WHOLE_PICTURE: Box = (0.0, 0.0, 1.0, 1.0)
HIDES = 0.1
"""Share of a picture that must be black, or clipped, to hide an object."""
SHADOWS_EV, SHADOW_LOOKS, BRIGHT_EV = 2.0, 2, -3.0
"""Step from a well-exposed picture into the shadows [EV], and how many of them there are at most: the second
only where the first leaves enough black. Then the step from a well-exposed picture into what is clipped."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The object whose light counts."""

    labels: frozenset[str] = field(default_factory=frozenset)
    """Empty: any object."""
    min_score: float = MIN_SCORE
    selection: Selection = EVERYTHING

    @property
    def region(self) -> Box:
        """The part of the picture that perception is asked about."""
        region = self.selection.region
        return region.edges if region is not None and self.selection.itself else WHOLE_PICTURE

    def seen(self, percept: Percept) -> Detection | None:
        """The object in a picture; ``None`` if it is not there."""
        found = self.selection.counted(percept, self.labels, UNSURE * self.min_score)
        return found[0] if found else None

    def light(self, percept: Percept) -> Light | None:
        """The object's light in a picture; ``None`` if it is not there, or nobody asked for its light."""
        found = self.seen(percept)
        if found is None:
            return None
        return percept.light if self.selection.itself else found.light


def object_ev(light: Light, frame_grey: float) -> float:
    """How much more exposure an object needs on a linear sensor [EV]; 0: it is exposed as detectors like it.

    The numbers come from five objects before backgrounds that are 1, 8 and 30 times brighter or darker: the
    score of the detector peaks where the part of the box that is the object has these grey levels. Clipped
    pixels may be brighter than they look; see `reached.mid_grey_ev`.

    Args:
        light: Of the object's box.
        frame_grey: Mean grey level of the whole picture.
    """
    shows_shadows = frame_grey > MAX_FRAME_GREY
    is_very_dark = light.dark_grey < VERY_DARK_SHARE * frame_grey and light.mean_grey < frame_grey
    is_very_dark &= light.bright_share <= MAX_THROUGH
    if light.mean_grey >= BACKLIT * frame_grey and not is_very_dark and not shows_shadows:
        if light.bright_share <= MAX_BRIGHT and light.bright_grey >= MIN_BRIGHT_GREY:
            return 0.0
        open_share = max(1.0 - light.bright_share, MIN_OPEN_SHARE)
        return _limited(BRIGHT_AIM / max(light.bright_grey, BLACK_GREY) * open_share)
    shines_through = light.bright_grey >= BACKLIT * frame_grey
    least = max(DARK_SHARE * frame_grey, MIN_DARK_THROUGH if shines_through else 0.0)
    if least <= light.dark_grey <= MAX_DARK_GREY:
        return 0.0
    if shines_through or light.dark_grey > MAX_DARK_GREY:
        return _limited(DARK_AIM / max(light.dark_grey, BLACK_GREY))
    return _limited(SOLID_AIM / max(light.mean_grey, BLACK_GREY))


def _limited(ratio: float) -> float:
    ev = min(max(math.log2(ratio), -MAX_EV), MAX_EV)
    return ev if abs(ev) >= LEAST_EV else 0.0


class Hidden:
    """What the pictures of one exposure hide.

    All of them count, because blur spreads the light of a bright background over the shadows before it.
    """

    def __init__(self) -> None:
        """No picture yet."""
        self._exposure: object = None
        self._black = self._bright = 0.0

    def see(self, percept: Percept) -> None:
        """Look at a picture; one of another exposure begins anew."""
        capture = percept.capture
        if (exposure := (capture.exposure_us, capture.gain_db)) != self._exposure:
            self._exposure, self._black, self._bright = exposure, 0.0, 0.0
        shares = shares_of(percept.histogram_counts)
        self._black = max(self._black, float(shares[0]))
        self._bright = max(self._bright, float(bright_share(shares)))

    @property
    def in_shadows(self) -> bool:
        """Whether an object may be in what is black."""
        return self._black >= HIDES

    @property
    def in_bright_parts(self) -> bool:
        """Whether an object may be in what is clipped."""
        return self._bright >= HIDES


def was_taken_back(exposures_us: Sequence[float]) -> bool:
    """Whether a second look ended where it began: what was tried made the object worse, and would again.

    Args:
        exposures_us: Of A^H's pictures, in their order.
    """
    return len(exposures_us) > 2 and exposures_us[-1] == exposures_us[-3] != exposures_us[-2]


class ObjectExposure:
    """Policy of A^H for the second look. Begins where the picture is exposed well; see `ExposurePolicy`.

    It stops at once if the object is not seen, or its light is not known, or right.
    """

    name = "object"
    rule: ExposureRule = "well_exposed"
    """Never asked: this policy has no goal to fail."""

    def __init__(self, wanted: Wanted) -> None:
        """``wanted``: The object whose light counts."""
        self._wanted = wanted
        self._table: ExposureTable | None = None
        self._before: tuple[int, float] | None = None
        self._commands = 0
        self._first_ev = 0.0

    def reset(self, task: ExposureTask) -> None:
        """Begin a new episode."""
        self._table, self._before, self._commands, self._first_ev = task.table, None, 0, 0.0

    def act(self, percept: Percept) -> ExposureDecision:
        """Decide from the percept that answers the last command.

        Raises:
            RuntimeError: `reset` was never called.
        """
        if (table := self._table) is None:
            raise RuntimeError("act before reset: a policy needs a task first")
        here = table.seen(percept.capture.exposure_us, percept.capture.gain_db)
        found, light = self._wanted.seen(percept), self._wanted.light(percept)
        score = 0.0 if found is None else found.score
        if self._before is not None and score < self._before[1] - WORSE:
            # The step was the only one so far, so one command is left to take it back.
            back, self._before = self._before[0], None
            self._commands = COMMANDS
            return ExposureDecision(back)
        ev = 0.0 if light is None else object_ev(light, percept.mean_grey)
        aim = table.nearest(table.exposure_us(here) * 2.0**ev)
        turns = ev * self._first_ev < 0.0
        if self._commands >= COMMANDS or aim == here or turns:
            return ExposureDecision(here, done=True)
        self._before = (here, score) if self._commands == 0 else None
        self._commands, self._first_ev = self._commands + 1, self._first_ev or ev
        return ExposureDecision(aim)


class ShiftedExposure:
    """Policy of A^H that makes one step of a given size; see `ExposurePolicy`."""

    name = "shifted"
    rule: ExposureRule = "well_exposed"
    """Never asked: this policy has no goal to fail."""

    def __init__(self, ev: float) -> None:
        """``ev``: The step [EV]; positive: brighter. Where the table ends, its end is meant."""
        self._ev = ev
        self._task: ExposureTask | None = None
        self._is_done = False

    def reset(self, task: ExposureTask) -> None:
        """Begin a new episode."""
        self._task, self._is_done = task, False

    def act(self, percept: Percept) -> ExposureDecision:
        """The step, and then the end.

        Raises:
            RuntimeError: `reset` was never called.
        """
        if self._task is None:
            raise RuntimeError("act before reset: a policy needs a task first")
        table = self._task.table
        here = table.seen(percept.capture.exposure_us, percept.capture.gain_db)
        if self._is_done:
            return ExposureDecision(here, done=True)
        self._is_done = True
        aim = table.nearest(table.exposure_us(here) * 2.0**self._ev)
        return ExposureDecision(aim, done=aim == here)
