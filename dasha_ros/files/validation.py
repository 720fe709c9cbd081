"""Turns pydantic's errors into messages for users."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, get_args

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

_LONGEST = 60
"""A longer value is not shown: it is not the one wrong number or word."""
_WORDS = {
    "tuple_type": "Input should be a list",
    "list_type": "Input should be a list",
    "dict_type": "Input should be keys with values",
    "model_type": "Input should be keys with values",
    "model_attributes_type": "Input should be keys with values",
}
"""For pydantic's words that name types of Python."""


def reasons(
    error: ValidationError | TypeError,
    whole: str = "",
    model: type[BaseModel] | None = None,
    but: Collection[str] = (),
) -> str:
    """One clause for every mistake in a document, with its key and a short value.

    Args:
        error: The error of the model; a `TypeError` if a key of the document is not a text.
        whole: Replaces the key if the mistake is about the whole document.
        model: Of the document: its keys are named where there is an unknown one.
        but: Fields of the model that no document has.
    """
    if isinstance(error, TypeError):
        said = str(error)
        return "every key must be a text: put it in quotes" if "keywords must be strings" in said else said
    found: list[Any] = error.errors(include_url=False)
    # A list whose items are wrong is told to be too short, because pydantic counts only those that are right.
    places = [each["loc"] for each in found]
    told = [
        each
        for each in found
        if each["type"] != "too_short"
        or not any(place[: len(each["loc"])] == each["loc"] != place for place in places)
    ]
    return "; ".join(_reason(each, whole, model, but) for each in told)


def _reason(each: Mapping[str, Any], whole: str, model: type[BaseModel] | None, but: Collection[str]) -> str:
    key = ".".join(map(str, each["loc"]))
    value = "" if each["type"] == "missing" else _shown(each.get("input"))
    head = f"{key} = {value}" if key and value else key or whole
    said = _message(each, model, but)
    return f"{head}: {said}" if head else said


def _shown(value: Any) -> str:
    """A value of a document; empty if it is too long, or holds other keys and values."""
    if isinstance(value, Mapping) or not isinstance(value, str | int | float | list | tuple | None):
        return ""
    text = repr(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= _LONGEST else ""


def _message(each: Mapping[str, Any], model: type[BaseModel] | None, but: Collection[str]) -> str:
    if each["type"] == "value_error":
        return str(each["ctx"]["error"])
    if each["type"] == "extra_forbidden":
        keys = _keys_beside(each["loc"], model) if model is not None else []
        known = ", ".join(key for key in keys if key not in but)
        return "there is no such key" + (f"; the keys are {known}" if known else "")
    if each["type"] == "too_short":
        return str(each["msg"]).replace("Tuple", "List").replace(" after validation", "")
    return _WORDS.get(each["type"], str(each["msg"]))


def _keys_beside(place: tuple[int | str, ...], model: type[BaseModel]) -> list[str]:
    """The keys that a document may have where it has an unknown one."""
    here = [model]
    for part in place[:-1]:
        fields = [each.model_fields[part] for each in here if part in each.model_fields]
        if fields:
            here = [found for field in fields for found in _models_in(field.annotation)]
        else:  # A number in a list, or the word that chooses one model of several.
            here = [each for each in here if part in _choices(each)] or here
    return list(dict.fromkeys(name for each in here for name in each.model_fields))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a type is made of."""
    if hasattr(annotation, "model_fields"):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _choices(model: type[BaseModel]) -> set[Any]:
    """The words that choose a model: what its keys may only be, and its name."""
    words = {word for field in model.model_fields.values() for word in get_args(field.annotation)}
    return words | {model.__name__}
