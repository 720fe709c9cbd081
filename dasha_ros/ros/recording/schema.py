"""The definition of a message type as text, with those of all types that it contains (``ros2msg``)."""

from __future__ import annotations

import importlib
import re
import sys
from functools import reduce
from pathlib import Path
from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

_LINE = "=" * 80
_PUBLISHED: dict[str, tuple[str, tuple[str, ...]]] = {
    "msg": ("", ()),
    "action": ("_FeedbackMessage", ("Impl", "FeedbackMessage")),
    "srv": ("_Event", ("Event",)),
}
"""How the names of types end that nodes publish, by family, and where their classes are in the named one."""


class UnknownTypeError(Exception):
    """A message type that is not installed here; the message says which."""


def message_class(kind: str) -> Any:
    """The class of ``package/msg/Type``, or of what an action or a service publishes of itself.

    Raises:
        UnknownTypeError: Its package is not installed.
    """
    package, _, rest = kind.partition("/")
    family, _, name = rest.partition("/")
    try:
        suffix, inner = _PUBLISHED[family]
        if not name.endswith(suffix):
            raise LookupError(name)
        parts = (name.removesuffix(suffix), *inner)
        return reduce(getattr, parts, importlib.import_module(f"{package}.{family}"))
    except (ImportError, AttributeError, LookupError, ValueError):
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
