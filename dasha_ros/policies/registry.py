"""Policies by name, so that a parameter can choose one.

Built-in policies are imported when they are asked for, so a node loads only the policy that it runs.
Rivals register themselves. Name a policy of your own as ``package.module:Class``, and one that you trained
by the path of its ``.npz``.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Generic, TypeVar, cast

from dasha_ros.files.naming import expanded, what_lies_at
from dasha_ros.perception.own_class import OwnClassError, of_class
from dasha_ros.policies.policy import ExposurePolicy, FocusPolicy

Policy = TypeVar("Policy")


class UnknownPolicyError(ValueError):
    """No policy has this name, or none can be made of a class; the message lists the known names."""


def imported(target: str) -> Callable[[], Any]:
    """A function that imports ``module:attribute`` when it is called, and calls it."""

    def make() -> Any:
        return _attribute(target)()

    return make


def _attribute(target: str) -> Any:
    """What ``module:attribute`` names."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)


class _Registry(Generic[Policy]):
    """Names to makers of policies."""

    def __init__(self, what: str, built_in: dict[str, str], learned: str, has: tuple[str, ...]) -> None:
        self._what, self._learned, self._has = what, learned, has
        self._makers: dict[str, Callable[[], Policy]] = {
            name: imported(target) for name, target in built_in.items()
        }

    def register(self, name: str, make: Callable[[], Policy]) -> None:
        if self._makers.get(name, make) is not make:
            raise ValueError(f"{self._what} policy {name!r} is already registered: choose another name")
        self._makers[name] = make

    def make(self, name: str) -> Policy:
        if name in self._makers:
            return self._makers[name]()
        if name.endswith(".npz"):
            return self._from_file(name)
        self._check_name(name)
        try:
            return cast(Policy, of_class(name, self._has))
        except OwnClassError as error:
            raise self._unknown(name, str(error) if name.partition(":")[2] else "") from error

    def check(self, name: str) -> None:
        if name.endswith(".npz") and name not in self._makers:
            self._from_file(name)
        else:
            self._check_name(name)

    def _check_name(self, name: str) -> None:
        if name not in self._makers and ":" not in name:
            raise self._unknown(name, what_lies_at(name, ".npz"))

    def _from_file(self, name: str) -> Policy:
        path = expanded(name, lambda why: self._unknown(name, why))
        return cast(Policy, _attribute(self._learned)(path))

    def _unknown(self, name: str, reason: str) -> UnknownPolicyError:
        why = f" ({reason})" if reason else ""
        return UnknownPolicyError(
            f"unknown {self._what} policy {name!r}{why}: name a class of your own as "
            f"package.module:Class, or one that is known: {', '.join(self.names())}"
        )

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._makers))


_EXPOSURE: _Registry[ExposurePolicy] = _Registry(
    "exposure",
    {
        "histogram": "dasha_ros.policies.classical.exposure:HistogramExposure",
        "paper": "dasha_ros.policies.learned.exposure:paper",
        "plus": "dasha_ros.policies.learned.exposure:plus",
    },
    learned="dasha_ros.policies.learned.exposure:LearnedExposure",
    has=("name", "rule", "reset", "act"),
)
_FOCUS: _Registry[FocusPolicy] = _Registry(
    "focus",
    {
        "coarse_to_fine": "dasha_ros.policies.classical.focus:CoarseToFineFocus",
        "greedy": "dasha_ros.policies.planning.focus:GreedyFocus",
        "paper": "dasha_ros.policies.learned.focus:paper",
        "planner": "dasha_ros.policies.planning.focus:PlannerFocus",
        "plus": "dasha_ros.policies.learned.focus:plus",
        "plus_colour": "dasha_ros.policies.learned.focus:plus_colour",
    },
    learned="dasha_ros.policies.learned.focus:LearnedFocus",
    has=("name", "reset", "act"),
)


def exposure_policy(name: str) -> ExposurePolicy:
    """A new A^H policy, by its name, as ``package.module:Class``, or from the ``.npz`` of a learned one.

    Raises:
        UnknownPolicyError: No policy has this name.
        PolicyFileError: The file can't be used.
    """
    return _EXPOSURE.make(name)


def focus_policy(name: str) -> FocusPolicy:
    """A new A^L policy, by its name, as ``package.module:Class``, or from the ``.npz`` of a learned one.

    Raises:
        UnknownPolicyError: No policy has this name.
        PolicyFileError: The file can't be used.
    """
    return _FOCUS.make(name)


def check_exposure_policy(name: str) -> None:
    """Refuse a name of which `exposure_policy` can make nothing, without the import of a policy.

    A file is read. A class of your own is not judged: it may be slow to import.

    Raises:
        UnknownPolicyError: No policy has this name.
        PolicyFileError: The file can't be used.
    """
    _EXPOSURE.check(name)


def check_focus_policy(name: str) -> None:
    """Refuse a name of which `focus_policy` can make nothing; see `check_exposure_policy`.

    Raises:
        UnknownPolicyError: No policy has this name.
        PolicyFileError: The file can't be used.
    """
    _FOCUS.check(name)


def exposure_policies() -> tuple[str, ...]:
    """The names of all A^H policies, sorted."""
    return _EXPOSURE.names()


def focus_policies() -> tuple[str, ...]:
    """The names of all A^L policies, sorted."""
    return _FOCUS.names()


def register_exposure_policy(name: str, make: Callable[[], ExposurePolicy]) -> None:
    """Add an A^H policy.

    Raises:
        ValueError: Another policy has this name.
    """
    _EXPOSURE.register(name, make)


def register_focus_policy(name: str, make: Callable[[], FocusPolicy]) -> None:
    """Add an A^L policy.

    Raises:
        ValueError: Another policy has this name.
    """
    _FOCUS.register(name, make)
