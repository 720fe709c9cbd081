"""What a page may ask for: a goal, or the end of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from dasha_ros.files.validation import reasons
from dasha_ros.perception.labels import one_by_one

MOST_BYTES = 8192
"""Longest message of a page [bytes]."""

Label = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Share = Annotated[FiniteFloat, Field(ge=0.0, le=1.0)]
"""A fraction of the picture's width or height."""


class OrderError(Exception):
    """A page asked for something that is not possible; the message says what."""


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GoalOrder(_Order):
    """Send a goal; zero and empty mean the focus server's defaults."""

    do: Literal["goal"]
    labels: Annotated[tuple[Label, ...], Field(max_length=50)] = ()
    """What to look for; a label may hold several, separated by commas."""
    any_object: bool = False
    by_priority: bool = False
    region: tuple[Share, Share, Share, Share] = (0.0, 0.0, 0.0, 0.0)
    """x_min, y_min, x_max, y_max as fractions of the picture; all zero: all of it."""
    min_distance_m: Annotated[FiniteFloat, Field(ge=0.0)] = 0.0
    max_distance_m: Annotated[FiniteFloat, Field(ge=0.0)] = 0.0
    min_score: Annotated[FiniteFloat, Field(ge=0.0, le=1.0)] = 0.0
    max_brisque: Annotated[FiniteFloat, Field(ge=0.0)] = 0.0
    max_steps: Annotated[int, Field(ge=0, le=10_000)] = 0
    max_seconds: Annotated[FiniteFloat, Field(ge=0.0, le=86_400.0)] = 0.0
    keep_exposure: bool = False
    hold: bool = False

    @model_validator(mode="after")
    def _names_something(self) -> GoalOrder:
        # Without labels the goal would be for any object, which is another one.
        if self.labels and not self.wanted:
            raise ValueError("there are only commas and blanks: name what to look for")
        return self

    @property
    def wanted(self) -> list[str]:
        """The labels, one by one."""
        return one_by_one(list(self.labels))


class CancelOrder(_Order):
    """End the running goal, whoever sent it."""

    do: Literal["cancel"]


Order = Annotated[GoalOrder | CancelOrder, Field(discriminator="do")]
_ORDER: TypeAdapter[GoalOrder | CancelOrder] = TypeAdapter(Order)


def parse_order(text: str) -> GoalOrder | CancelOrder:
    """Read what a page sent.

    Raises:
        OrderError: It is not an order.
    """
    try:
        return _ORDER.validate_json(text)
    except ValidationError as error:
        raise OrderError(f"the goal was not sent: {reasons(error, 'order')}") from error
