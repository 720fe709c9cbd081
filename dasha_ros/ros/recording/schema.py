"""The definition of a message type as text, with those of all types that it contains (``ros2msg``)."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

_LINE = "=" * 80


class UnknownTypeError(Exception):
    """A message type that is not installed here; the message says which."""


def message_class(kind: str) -> Any:
    """The class of ``package/msg/Type``.

    Raises:
        UnknownTypeError: Its package is not installed.
    """
    package, _, name = kind.partition("/msg/")
    try:
        return getattr(importlib.import_module(f"{package}.msg"), name)
    except (ImportError, AttributeError, ValueError):
        raise UnknownTypeError(f"the message type {kind} is not installed here: install {package}") from None


def definition(kind: str) -> str:
    """The text of a type's ``.msg`` file, followed by those of its parts, as MCAP files hold it.

    Args:
        kind: ``package/msg/Type``.

    Raises:
        UnknownTypeError: It, or a part of it, is not installed, or has no ``.msg`` file.
    """
    texts: dict[str, str] = {}
    waiting = [kind]
    while waiting:
        if (name := waiting.pop(0)) in texts:
            continue
        texts[name] = _text(name)
        fields = message_class(name).get_fields_and_field_types().values()
        found = (re.search(r"([a-z]\w*)/(\w+)", field) for field in fields)
        waiting += [f"{part[1]}/msg/{part[2]}" for part in found if part]
    first, *others = texts
    return "".join(
        [texts[first], *(f"\n{_LINE}\nMSG: {name.replace('/msg/', '/')}\n{texts[name]}" for name in others)]
    )


def _text(kind: str) -> str:
    package, _, name = kind.partition("/msg/")
    try:
        share = Path(get_package_share_directory(package))
    except (PackageNotFoundError, LookupError, ValueError):
        share = Path(sys.prefix) / "share" / package
    try:
        return (share / "msg" / f"{name}.msg").read_text(encoding="utf-8")
    except OSError:
        raise UnknownTypeError(
            f"the definition of {kind} is not installed here: install {package} with its .msg files"
        ) from None
