"""What a port needs of the lens board behind it, whatever protocol it speaks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, Protocol, TypeVar


class Asked(Protocol):
    """One whole request as a board sees it."""

    @property
    def size(self) -> int:
        """Bytes that it took on the wire."""
        ...

    @property
    def intact(self) -> bool:
        """Whether its checksum was right."""
        ...


R = TypeVar("R", bound=Asked)
R_co = TypeVar("R_co", bound=Asked, covariant=True)


class Parser(Protocol[R_co]):
    """Splits the bytes that reach a board into requests."""

    @property
    def pending(self) -> int:
        """Number of bytes of an incomplete request."""
        ...

    def reset(self) -> None:
        """Forget an incomplete request."""
        ...

    def feed(self, received: bytes) -> Sequence[R_co]:
        """The requests that ``received`` completes, in order."""
        ...


class EmulatedBoard(ABC, Generic[R]):
    """A lens board in software: requests in, replies out, and a lens that it drives.

    Args:
        on_drive: Called with the position asked of the lens whenever the board sets it.
        parser: Splits what it hears into requests.
    """

    unit: ClassVar[str]
    """Unit of positions."""
    baud: ClassVar[int]
    """Rate of its line [bit/s]."""
    rest: ClassVar[float]
    """Where the lens is without power."""

    def __init__(self, on_drive: Callable[[float], None], parser: Parser[R]) -> None:
        self._on_drive = on_drive
        self.parser = parser
        self.latched: list[int] = []
        """All position codes that the board applied, in order, for tests of safety."""
        self.stored = 0
        """How often its memory was written."""
        self.temperature_c = 25.0
        """Temperature of the lens [deg C]."""

    @abstractmethod
    def power_on(self) -> None:
        """Start as after a power loss."""

    @property
    @abstractmethod
    def code(self) -> int:
        """Code of the position that was commanded last."""

    @property
    @abstractmethod
    def mode(self) -> int:
        """The mode, as the protocol numbers it."""

    @property
    @abstractmethod
    def mode_name(self) -> str:
        """The mode in a word."""

    @property
    @abstractmethod
    def obeys(self) -> bool:
        """Whether the lens follows the code in this mode."""

    @property
    @abstractmethod
    def driven(self) -> float:
        """The position that the board asks of the lens."""

    @abstractmethod
    def set_faults(self, bits: int) -> None:
        """Raise or clear faults, by their bits."""

    @abstractmethod
    def handle(self, request: R) -> bytes:
        """Obey ``request`` and return the reply; empty: there is none."""

    @abstractmethod
    def refuse(self, request: R) -> bytes:
        """The reply to a request that the board refuses for no reason."""

    def wire_seconds(self, count: int) -> float:
        """Time that ``count`` bytes take on the wire [s], 10 bits each."""
        return count * 10 / self.baud

    def drive(self) -> None:
        """Ask the lens for the position that is in force."""
        self._on_drive(self.driven)
