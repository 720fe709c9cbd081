"""Makes encoders and detectors by name; a class is imported when its name is first used.

A class of your own is named as ``package.module:Class``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from dasha_ros.perception.errors import ModelError, UnknownModelError
from dasha_ros.perception.own_class import OwnClassError, of_class

T = TypeVar("T")


class Registry(Generic[T]):
    """Makes objects by name."""

    def __init__(
        self,
        kind: str,
        entries: dict[str, str],
        has: Sequence[str],
        check_weights: Mapping[str, Callable[[str | Path], None]] | None = None,
    ) -> None:
        """Name what can be made.

        Args:
            kind: What it is, for messages.
            entries: Names, each with its ``package.module:Class``.
            has: What an object of it has.
            check_weights: By name, what the class itself refuses a weights file with before it loads it.
        """
        self._kind = kind
        self._entries = entries
        self._has = has
        self._check_weights = check_weights or {}

    @property
    def names(self) -> tuple[str, ...]:
        """Every known name."""
        return tuple(self._entries)

    def register(self, name: str, target: str) -> None:
        """Add a name for ``package.module:Class``."""
        self._entries[name] = target

    def check(self, name: str, weights: str | Path | None = None) -> None:
        """Refuse what `create` would refuse, as far as that shows without an import of a class.

        A class of your own is not judged: it may be slow to import, and knows itself what its weights are.

        Args:
            name: As `create` takes it.
            weights: The weights file that it would get; empty: its own.

        Raises:
            UnknownModelError: The name is unknown.
            ModelError: The weights file does not exist, or can't be one.
        """
        if name not in self._entries and ":" not in name:
            raise self._unknown(name)
        if weights and name in self._check_weights:
            self._check_weights[name](weights)

    def _unknown(self, name: str, why: str = "") -> UnknownModelError:
        return UnknownModelError(
            f"There is no {self._kind} called {name!r}{why and f' ({why})'}; choose one of "
            f"{', '.join(self.names)}, or name a class as package.module:Class."
        )

    def create(self, name: str, **options: Any) -> T:
        """Make an object of the class that ``name`` stands for.

        Args:
            name: One of `names`, or ``package.module:Class`` of your own.
            options: Passed on to the class.

        Raises:
            UnknownModelError: The name is unknown, or nothing can be made of the class.
            ModelError: The model cannot be loaded.
        """
        self.check(name)
        if name in self._entries:
            module, _, attribute = self._entries[name].partition(":")
            return cast(T, getattr(import_module(module), attribute)(**options))
        try:
            return cast(T, of_class(name, self._has, **options))
        except OwnClassError as error:
            if isinstance(error.__cause__, ModelError):
                raise error.__cause__ from None
            raise self._unknown(name, str(error)) from error
