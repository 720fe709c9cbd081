"""What pages are sent: everything once, nothing that JSON can't hold, nothing that grows."""

from __future__ import annotations

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.watch.feed import KEPT_ROWS, Feed

VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(st.text(max_size=5), parts, max_size=4),
    max_leaves=12,
)


def read(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=5))
def test_every_fact_is_json_that_browsers_read(facts: dict[str, Any]) -> None:
    feed = Feed()
    for name, value in facts.items():
        feed.fact(name, value)
    text = feed.since(0).text
    assert set(read(text)["facts"] if text else {}) == set(facts)


def test_numbers_that_json_lacks_are_unknown() -> None:
    feed = Feed()
    feed.row(t=1.79e9 + 0.25, brisque=math.nan, exposure=math.inf, score=0.123456789)
    assert read(feed.since(0).text)["rows"] == [
        {"t": 1.79e9 + 0.25, "brisque": None, "exposure": None, "score": 0.123457}
    ]


@given(st.lists(st.sampled_from(["row", "fact", "same", "picture", "look"]), max_size=40))
def test_a_page_gets_everything_exactly_once(events: list[str]) -> None:
    feed, seen = Feed(), 0
    rows: list[int] = []
    facts: list[int] = []
    pictures: list[bytes] = []
    last_picture = b""
    for i, event in enumerate([*events, "look"]):
        if event == "row":
            feed.row(n=i)
        elif event == "fact":
            feed.fact("n", i)
        elif event == "same":
            feed.fact("constant", "always")
        elif event == "picture":
            feed.picture(last_picture := b"%d" % i)
        else:
            update = feed.since(seen)
            seen = update.seen
            content = read(update.text) if update.text else {"rows": [], "facts": {}}
            rows += [row["n"] for row in content["rows"]]
            facts += [content["facts"]["n"]] if "n" in content["facts"] else []
            pictures += [update.picture] if update.picture else []
    assert rows == [i for i, event in enumerate(events) if event == "row"]
    assert facts[-1:] == [i for i, event in enumerate(events) if event == "fact"][-1:]
    assert pictures[-1:] == ([last_picture] if last_picture else [])
    assert len(set(pictures)) == len(pictures)
    assert feed.since(seen).text == ""
    assert feed.since(seen).picture == b""


def test_a_new_page_gets_the_newest_and_no_more_than_is_kept() -> None:
    feed = Feed()
    for n in range(KEPT_ROWS + 50):
        feed.row(n=n)
        feed.picture(b"%d" % n)
    update = feed.since(0)
    assert [row["n"] for row in read(update.text)["rows"]] == list(range(50, KEPT_ROWS + 50))
    assert update.picture == b"%d" % (KEPT_ROWS + 49)


def test_texts_are_put_together_once_for_all_pages() -> None:
    feed = Feed()
    feed.row(n=1)
    assert feed.since(0).text is feed.since(0).text


def test_what_is_forgotten_is_not_sent_again() -> None:
    feed = Feed()
    feed.row(n=1)
    feed.picture(b"old")
    feed.fact("state", "idle")
    feed.fact("outcome", "found")
    assert "idle" in feed.since(0).text
    feed.forget("state", "never said")
    update = feed.since(0)
    assert read(update.text) == {"rows": [], "facts": {"outcome": "found"}}
    assert update.picture == b""
    feed.fact("state", "idle")
    assert read(feed.since(update.seen).text)["facts"] == {"state": "idle"}


def test_changes_are_told_but_repetitions_are_not() -> None:
    calls: list[int] = []
    feed = Feed(lambda: calls.append(1))
    feed.fact("state", {"step": 1})
    feed.fact("state", {"step": 1})
    feed.row(n=1)
    assert len(calls) == 2
