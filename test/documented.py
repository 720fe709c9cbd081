"""Numbers that the documentation says, held against measured ones."""

from __future__ import annotations


def check(text: str, measured: float, where: str) -> None:
    """A number as it is written is the measured one, rounded."""
    digits = len(text.partition(".")[2])
    assert abs(float(text) - measured) <= 0.5 * 10**-digits + 1e-9, (
        f"{where}: {text}, measured {measured:.4f}"
    )
