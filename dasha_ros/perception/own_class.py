"""The one door for a class of somebody's own, named as ``package.module:Class``."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from dasha_ros.files.errors import first_line


class OwnClassError(ValueError):
    """Nothing that can be used was made of a class; the message says why."""


def of_class(name: str, has: Iterable[str], **options: Any) -> Any:
    """An object of a class.

    Args:
        name: ``package.module:Class``.
        has: Attributes and methods that the object must have.
        options: Passed on to the class.

    Raises:
        OwnClassError: There is no such class, it raises an error, or its object lacks something.
    """
    module, _, attribute = name.partition(":")
    try:
        made = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise OwnClassError(first_line(error)) from error
    except (Exception, SystemExit) as error:  # While it is imported, somebody's own module may do anything.
        raise OwnClassError(f"the import of {module} ended with {told_in_a_line(error)}") from error
    if not callable(made):
        raise OwnClassError(f"{attribute} of {module} is no class")
    try:
        made = made(**options)
    except (Exception, SystemExit) as error:
        given = f" with the options {', '.join(options)}" if options else " without arguments"
        raise OwnClassError(
            f"{attribute} of {module}, made{given}, ended with {told_in_a_line(error)}"
        ) from error
    if missing := [each for each in has if not hasattr(made, each)]:
        raise OwnClassError(f"{attribute} of {module} has no {' and no '.join(missing)}")
    return made


def told_in_a_line(error: BaseException) -> str:
    """An error of somebody's own class in one line: alone, the message of a `KeyError` is only a key."""
    return f"{type(error).__name__}: {first_line(error)}"
