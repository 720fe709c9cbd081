"""Makes encoders and detectors by name; a class is imported when its name is first used."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Generic, TypeVar

from dasha_ros.perception.errors import UnknownModelError

T = TypeVar("T")


class Registry(Generic[T]):
    """Makes objects by name."""

    def __init__(self, kind: str, entries: dict[str, str]) -> None:
        self._kind = kind
        self._entries = entries

    @property
    def names(self) -> tuple[str, ...]:
        """Every known name."""
        return tuple(self._entries)

    def register(self, name: str, target: str) -> None:
        """Add a name for ``package.module:Class``."""
        self._entries[name] = target

    def create(self, name: str, **options: Any) -> T:
        """Make an object of the class that ``name`` stands for.

        Args:
            name: One of `names`, or ``package.module:Class`` of your own.
            options: Passed on to the class.

        Raises:
            UnknownModelError: The name is unknown.
            ModelError: The model cannot be loaded.
        """
        target = self._entries.get(name, name)
        module, _, attribute = target.partition(":")
        try:
            factory = getattr(import_module(module), attribute)
        except (ImportError, AttributeError, ValueError) as error:
            if name in self._entries:
                raise
            raise UnknownModelError(
                f"There is no {self._kind} called {name!r}; choose one of {', '.join(self.names)}, "
                "or name a class as package.module:Class."
            ) from error
        made: T = factory(**options)
        return made
