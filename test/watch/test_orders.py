"""What a page may ask for."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.watch.orders import CancelOrder, GoalOrder, OrderError, parse_order


def test_a_goal_with_all_its_settings() -> None:
    order = parse_order(
        '{"do":"goal","labels":["cup, person"],"min_score":0.5,"max_brisque":40,"max_steps":9,'
        '"keep_exposure":true}'
    )
    assert isinstance(order, GoalOrder)
    assert order.wanted == ["cup", "person"]
    assert (order.min_score, order.max_brisque, order.max_steps, order.keep_exposure) == (0.5, 40.0, 9, True)


def test_an_empty_goal_asks_for_anything_with_the_defaults_of_the_server() -> None:
    assert parse_order('{"do":"goal"}') == GoalOrder(do="goal")
    assert GoalOrder(do="goal").wanted == []


def test_a_cancel() -> None:
    assert isinstance(parse_order('{"do":"cancel"}'), CancelOrder)


@pytest.mark.parametrize(
    ("order", "named"),
    [
        ({"do": "goal", "min_score": 2}, "min_score"),
        ({"do": "goal", "max_brisque": -1}, "max_brisque"),
        ({"do": "goal", "max_steps": -1}, "max_steps"),
        ({"do": "goal", "region": [0.1, 0.2, 0.3]}, "region"),
        ({"do": "goal", "region": [0.1, 0.2, 0.3, 1.3]}, "region"),
        ({"do": "goal", "max_seconds": -1}, "max_seconds"),
        ({"do": "goal", "min_distance_m": -1}, "min_distance_m"),
        ({"do": "goal", "labels": "cup"}, "labels"),
        ({"do": "goal", "labels": [""]}, "labels"),
        ({"do": "goal", "labels": ["x" * 101]}, "labels"),
        ({"do": "goal", "labels": [" , ", ","]}, "only commas and blanks: name what to look for"),
        ({"do": "goal", "labels": ["x"] * 51}, "labels"),
        ({"do": "goal", "background": True}, "background"),
        ({"do": "set", "node": "lens_driver"}, "do"),
        ({}, "do"),
    ],
)
def test_what_is_wrong_is_named(order: dict[str, object], named: str) -> None:
    with pytest.raises(OrderError, match=named):
        parse_order(json.dumps(order))


@given(st.text(max_size=200))
def test_anything_else_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(OrderError, match="the goal was not sent"):
        parse_order(text)
