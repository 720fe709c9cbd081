"""One random sequence of faults against one driver: its events, its calls, and its recovery at the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from random import Random
from typing import Protocol

from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.emulators.fault_sequences.promises import PromiseBroken, Tally

ATTEMPTS_TO_RECOVER = 5


class Device(Protocol):
    """What a sequence needs of the driver that it tests."""

    def open(self) -> object:
        """Open the device."""
        ...

    def close(self) -> None:
        """Close the device; does nothing if it is closed."""
        ...


class FaultSequence(ABC):
    """Plays random events against a driver, which is opened again whenever it has lost its device."""

    def __init__(self, device: Device, random: Random, tally: Tally) -> None:
        self._device, self._random, self._tally = device, random, tally
        self._open = False

    @abstractmethod
    def events(self) -> Sequence[tuple[Callable[[], object], int]]:
        """The events and their weights."""

    @abstractmethod
    def end_faults(self) -> None:
        """Stop all faults, so that the driver has to work again."""

    @abstractmethod
    def attempt(self) -> bool:
        """Use the device once; returns whether that worked."""

    def check(self) -> None:  # noqa: B027 - not every device can be inspected
        """Inspect the device after a call.

        Raises:
            PromiseBroken: It is in a state that nobody commanded.
        """

    def play(self, count: int) -> None:
        """Play ``count`` events, then let the driver recover.

        Raises:
            PromiseBroken: The driver broke a promise.
        """
        events, weights = zip(*self.events(), strict=True)
        for event in self._random.choices(events, weights, k=count):
            event()
        self._recover()
        self._device.close()

    def call(self, name: str, call: Callable[[], object]) -> bool:
        """Call the driver, opened if necessary; count and return whether that worked."""
        with self._tally.timed():
            try:
                if not self._open:
                    self._device.open()
                    self._open = True
                call()
            except DeviceLost:
                self.close()
                outcome = "lost"
            except DeviceError:
                outcome = "failed"
            else:
                outcome = "done"
        self._tally.calls[f"{name} {outcome}"] += 1
        self.check()
        return outcome == "done"

    def close(self) -> None:
        """Close the device; the next call opens it again."""
        self._device.close()
        self._open = False

    def _recover(self) -> None:
        self.end_faults()
        for _ in range(ATTEMPTS_TO_RECOVER):
            if self.attempt():
                self._tally.recoveries += 1
                return
        raise PromiseBroken(f"no recovery in {ATTEMPTS_TO_RECOVER} attempts without faults")
