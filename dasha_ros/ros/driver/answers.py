"""Which picture of a driver answers: the first whose own metadata carry the settings, else by counting."""

from __future__ import annotations

from dasha_ros.devices.lag.counting import Counted
from dasha_ros.optics.exposure_table import same_exposure
from dasha_ros.ros.driver.port import DriverPicture

GAIN_DB = 0.3
"""A picture carries a gain if its metadata differ by no more than this."""


class Answers:
    """Judges pictures in the order of arrival. Not safe for threads."""

    def __init__(self) -> None:
        """Nothing is commanded, and no metadata have come."""
        self._wanted: dict[str, float] = {}
        self._earlier: dict[str, set[float]] = {"exposure": set(), "gain": set()}
        """Other values of which pictures may still come."""
        self._is_told = False
        self._counts_gain = False
        """The gain was changed, and metadata do not tell it."""
        self._last = ""

    @property
    def source(self) -> str:
        """What tells how a picture was made, for the diagnostics."""
        return "their metadata" if self._is_told else "counting the lag: no metadata came"

    def commanded(self, quantity: str, in_force: float) -> None:
        """The driver took a setting; ``in_force`` is what it has now [us or dB]."""
        before = self._wanted.get(quantity)
        if before is not None:
            self._earlier[quantity].add(before)
        self._wanted[quantity] = in_force
        self._earlier[quantity].discard(in_force)
        self._counts_gain = self._counts_gain or quantity == "gain"

    def admit(self, picture: DriverPicture, counted: Counted) -> bool:
        """Whether a picture answers every setting.

        Args:
            picture: The picture.
            counted: What counting tells about it.
        """
        self._last = ""
        told = picture.told
        if told is None:
            # Once pictures have metadata, one without shows who knows what.
            answers = counted.answers and not self._is_told
        else:
            self._is_told = True
            told_values = {"exposure": told.exposure_us, "gain": told.gain_db}
            answers = counted.lens and self._carries(told_values)
            if not counted.settings:
                answers = answers and picture.stamp_is_known and not self._is_ambiguous(told_values)
        if answers:
            self._earlier = {"exposure": set(), "gain": set()}
            self._counts_gain = False
        return answers

    def reason(self) -> str:
        """Why the last picture did not answer, if its metadata told; else empty."""
        return self._last

    def _carries(self, told: dict[str, float | None]) -> bool:
        for quantity, value in told.items():
            wanted = self._wanted.get(quantity)
            if value is not None and wanted is not None and not _agree(quantity, wanted, value):
                unit = "us" if quantity == "exposure" else "dB"
                self._last = (
                    f"its {quantity} was set to {wanted:g} {unit}, and its pictures say {value:g} {unit}: an "
                    "automatic function or another program sets it, or the frame rate allows no more"
                )
                return False
        return True

    def _is_ambiguous(self, told: dict[str, float | None]) -> bool:
        """Whether the picture could be of an earlier command."""
        if told["gain"] is None and self._counts_gain:
            return True
        return any(
            value is not None and any(_agree(quantity, other, value) for other in self._earlier[quantity])
            for quantity, value in told.items()
        )


def _agree(quantity: str, wanted: float, told: float) -> bool:
    return same_exposure(wanted, told) if quantity == "exposure" else abs(wanted - told) <= GAIN_DB
