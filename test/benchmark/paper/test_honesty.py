"""Claims against numbers, the list of readings, and what the honesty page makes of parts that are missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dasha_ros.benchmark.paper import registry
from dasha_ros.benchmark.paper.part import Claim, Context, Part
from dasha_ros.benchmark.paper.parts import honesty, stacks
from dasha_ros.benchmark.paper.parts.honesty.documents import readings, twin_limits
from dasha_ros.benchmark.paper.parts.table_1.claims import claims, wide_band
from dasha_ros.benchmark.paper.parts.table_1.facts import FACTS
from dasha_ros.benchmark.paper.report import write_report
from dasha_ros.benchmark.paper.run import run_part

ROOT = Path(__file__).resolve().parents[3]
MADE = {"command": "dasha"}


def around(mean: float) -> dict[str, float]:
    return {"mean": mean, "low": mean - 0.01, "high": mean + 0.01}


def method(policy: str, setting: str = "planes_paper", **changes: float) -> dict:
    numbers = {"in_focus": 0.9, "detected": 1.0, "af_steps": 1.5, "af_seconds": 1.0} | changes
    return {"policy": policy, "setting": setting} | {key: around(value) for key, value in numbers.items()}


def verdicts(rows: list[dict]) -> dict[str, bool | None]:
    return {claim.says: claim.holds for claim in claims({"methods": rows})}


def test_claims_of_table_1_hold_or_fall_with_the_numbers() -> None:
    rivals = [method("phase_shift_rl", af_seconds=3.0), method("ten_dqn", af_seconds=5.0)]
    good = verdicts([method("paper"), *rivals])
    assert good["once trained, 2 steps on average find the focus"] is True
    assert good["DASHA is the fastest of the three"] is True
    assert good["TEN [12] takes 366 s"] is None
    assert verdicts([method("paper", detected=0.9), *rivals])[
        "once trained, 2 steps on average find the focus"
    ] is False  # fmt: skip
    assert verdicts([method("paper", af_seconds=4.0), *rivals])["DASHA is the fastest of the three"] is False


def test_the_wide_band_is_told_in_the_numbers_of_the_table() -> None:
    rows = [method(name, "planes_paper") for name in ("paper", "constant")]
    assert wide_band({"methods": rows}) == []
    rows += [method(name, "planes_wide", in_focus=0.08) for name in ("paper", "constant")]
    rows += [method("plus", "planes_paper"), method("plus", "planes_wide", in_focus=0.99)]
    text = " ".join(wide_band({"methods": rows}))
    assert "plus in 99 % (98 to 100)" in text
    assert "8 % (7 to 9)" in text


def test_readings_are_a_whole_table_that_the_documentation_includes() -> None:
    titles, rows = readings()
    assert titles == ("place", "what it says", "how it is read", "where", "another reading")
    assert len(rows) > 20
    assert all(len(row) == len(titles) and all(row[:4]) for row in rows)
    assert len(twin_limits()) > 5
    page = (ROOT / "docs" / "explanation" / "paper.md").read_text()
    for name in ("readings", "twin"):
        assert f'--8<-- "config/paper/{name}.md"' in page


def test_the_page_tells_what_fell_first_and_what_was_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Part(
        name="one", title="One", place=1, shows=(), compute=lambda context: {}, rows=lambda data: [],
        draw=lambda data, folder: [], text=lambda data: "",
        claims=lambda data: [
            Claim("I", "it <holds>", "1 of 1", True),
            Claim("II", "it falls", "0 of 1", False),
            Claim("III", "it is another unit", "3 m", None),
        ],
    )  # fmt: skip
    other = replace(part, name="other", title="Other & more")
    monkeypatch.setattr(registry, "parts", lambda: [part, other, honesty.PART])
    run_part(part, Context(tmp_path), MADE)
    run_part(honesty.PART, Context(tmp_path), MADE)
    text = write_report(tmp_path, registry.parts()).read_text()
    falls, holds = text.index("it falls"), text.index("it &lt;holds&gt;")
    assert falls < holds
    assert text.count("not reproduced</td>") == text.count("not comparable</td>") == 1
    assert "<li>Other &amp; more</li>" in text
    assert (tmp_path / "honesty.csv").read_text().splitlines()[1].startswith("one,I,it <holds>")


def test_stacks_are_told_apart_with_what_was_left_out(tmp_path: Path) -> None:
    row = {"setting": "stacks_linear", "policy": "plus", "episodes": 12, "units": 3, "clusters": 2}
    for key in (*stacks._SHARES, *stacks._MEANS):
        row |= {key: 0.5, f"{key}_low": 0.4, f"{key}_high": 0.6}
    row |= dict.fromkeys(("moves_first", "moves_first_low", "moves_first_high"))
    data = {"left_out": {"desk": "no objects"}, "methods": [row]}
    part = replace(stacks.PART, compute=lambda context: data)
    run_part(part, Context(tmp_path), MADE)
    text = write_report(tmp_path, [part]).read_text()
    assert "3 objects of 2 focal stacks" in text
    assert "desk: no objects" in text
    assert "50 % (40 to 60)" in text
    context = Context(tmp_path / "none")
    context.folder.mkdir()
    told: list[str] = []
    assert not run_part(stacks.PART, replace(context, note=told.append), MADE)
    assert "--stacks DIR" in told[0]


def test_every_method_of_the_table_has_its_marks() -> None:
    assert {facts.quality for facts in FACTS.values()} == {"NR", "RB"}
    assert {name for name, facts in FACTS.items() if facts.deep} == {"paper", "plus", "planner", "greedy"}
