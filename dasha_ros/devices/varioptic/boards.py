"""Register maps of Corning's Varioptic driver boards (USB-M Flexiboard user guide; public drivers)."""

from __future__ import annotations

from dataclasses import dataclass

FOCUS = 0x00
"""Focus code, low byte; the high byte follows. All boards."""
COMMAND = 0x02
"""Bit 0 stores the registers in the EEPROM, which wears out. This package never writes it."""

STANDBY = 0b01
ANALOG = 0b10


@dataclass(frozen=True)
class Board:
    """The register map of one kind of board."""

    name: str
    fault: int
    """Register of the fault bits."""
    fault_names: tuple[str, ...] = ()
    """Names of the bits, lowest first; a bit beyond has no public name."""
    mode: int | None = None
    """Register with bit 0 standby and bit 1 analog; ``None``: the board has none that is documented."""
    version: int | None = None
    """Register of the firmware's version."""

    @property
    def status_count(self) -> int:
        """Registers from `FOCUS` on that one status read covers."""
        return 2 if self.mode is None else self.mode + 1

    def faults(self, bits: int) -> tuple[str, ...]:
        """Names of the bits that are set."""
        return tuple(
            self.fault_names[bit] if bit < len(self.fault_names) else f"fault bit {bit}"
            for bit in range(8)
            if bits >> bit & 1
        )


FLEXIBOARD_FAULTS = ("overload", "driver not answering", "thermal shutdown")

BOARDS = {
    board.name: board
    for board in (
        Board("flexiboard", fault=0x0A, fault_names=FLEXIBOARD_FAULTS, mode=0x03, version=0x05),
        Board("caspian", fault=0x0E),
        Board("c-mount-com", fault=0x0E),
    )
}
"""The Flexiboard is documented; the others share its focus registers and keep their faults elsewhere."""


def board_named(name: str) -> Board:
    """The board called ``name``.

    Raises:
        ValueError: No board has that name.
    """
    try:
        return BOARDS[name]
    except KeyError:
        raise ValueError(f"unknown lens board {name!r}; choose one of {', '.join(sorted(BOARDS))}") from None
