"""Mistakes in documents are told in the words of those who wrote them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dasha_ros.files.validation import reasons


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Cup(_Model):
    kind: Literal["cup"]
    handles: int = 1


class _Plate(_Model):
    kind: Literal["plate"]
    width_mm: float = 200.0


class _Table(_Model):
    place: str = ""
    splits: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] = (0,)
    things: list[Annotated[_Cup | _Plate, Field(discriminator="kind")]] = []
    spare: _Cup | None = None

    @model_validator(mode="after")
    def _not_nowhere(self) -> _Table:
        if self.place == "nowhere":
            raise ValueError("a table is somewhere")
        return self


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"splits": [-1]}, "splits.0 = -1: Input should be greater than or equal to 0"),
        ({"splits": []}, "splits = []: List should have at least 1 item, not 0"),
        ({"splits": 3}, "splits = 3: Input should be a list"),
        ({"things": "cup"}, "things = 'cup': Input should be a list"),
        ({"spare": 4}, "spare = 4: Input should be keys with values"),
        ({"spare": {}}, "spare.kind: Field required"),
        ({"place": None}, "place = None: Input should be a valid string"),
        ({"splits": "x" * 100}, "splits: Input should be a list"),
        ({"split": 1}, "split = 1: there is no such key; the keys are splits, things, spare"),
        ({"spare": {"kind": "cup", "a": 1}}, "spare.a = 1: there is no such key; the keys are kind, handles"),
        (
            {"things": [{"kind": "plate", "a": 1}]},
            "things.0.plate.a = 1: there is no such key; the keys are kind, width_mm",
        ),
        ({"place": "nowhere"}, "the table: a table is somewhere"),
        ({"splits": [-1], "a": 1}, "splits.0 = -1: Input should be greater than or equal to 0; "
         "a = 1: there is no such key; the keys are splits, things, spare"),
    ],
)  # fmt: skip
def test_mistakes_have_key_value_and_what_is_right(document: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        _Table(**document)
    assert reasons(caught.value, "the table", _Table, but=("place",)) == said


def test_keys_that_are_no_text_are_told() -> None:
    with pytest.raises(TypeError) as caught:
        _Table(**{5: 2})  # type: ignore[arg-type]
    assert reasons(caught.value) == "every key must be a text: put it in quotes"


def test_keys_are_not_named_where_nobody_says_which_there_are() -> None:
    with pytest.raises(ValidationError) as caught:
        _Table(a=1)  # type: ignore[call-arg]
    assert reasons(caught.value) == "a = 1: there is no such key"
