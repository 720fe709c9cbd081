"""Claims against numbers, the list of readings, and what the honesty page makes of parts that are missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dasha_ros.benchmark.paper import registry
from dasha_ros.benchmark.paper.part import Claim, Context, Part
from dasha_ros.benchmark.paper.parts import honesty, scenes, several, stacks, strip
from dasha_ros.benchmark.paper.parts.honesty.documents import readings, twin_limits, unmeasured
from dasha_ros.benchmark.paper.parts.table_1.claims import claims, wide_band
from dasha_ros.benchmark.paper.parts.table_1.facts import FACTS
from dasha_ros.benchmark.paper.report import write_report
from dasha_ros.benchmark.paper.run import ReportError, run_part

ROOT = Path(__file__).resolve().parents[3]
MADE = {"command": "dasha"}


def around(mean: float) -> dict[str, float]:
    return {"mean": mean, "low": mean - 0.01, "high": mean + 0.01}


def method(policy: str, setting: str = "planes_paper", **changes: float) -> dict:
    numbers = {"in_focus": 0.9, "detected": 1.0, "af_steps": 1.5, "af_seconds": 1.0, "over_ten": 0.0}
    numbers |= changes
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
    long, anywhere = (
        "TEN [12] takes more than 10 steps to get certain scenes in focus",
        ("it finds the focus regardless of the arrangement of the objects"),
    )
    assert good[long] is False
    assert anywhere not in good, "the wide band was not played"
    slow = [method("paper"), method("ten_dqn", over_ten=0.2), method("phase_shift_rl")]
    assert verdicts(slow)[long] is True
    for detected, holds in ((1.0, True), (0.5, False)):
        wide = method("paper", "planes_wide", detected=detected)
        assert verdicts([method("paper"), wide, *rivals])[anywhere] is holds


def shot(agent: str, score: float, **scores: float) -> dict:
    return {"agent": agent, "score": score, "scores": scores}


def test_claims_of_the_figures_with_pictures_hold_or_fall_with_the_scores() -> None:
    def episode(*shots: dict) -> dict:
        return {"title": "cat", "shots": list(shots)}

    up = episode(shot("A^H", 0.0), shot("A^H", 0.1), shot("A^L", 0.6), shot("A^L", 0.5))
    flat = episode(shot("A^H", 0.4), shot("A^H", 0.4))
    rises, lens = strip.PART.claims({"episodes": [up]})
    assert (rises.holds, lens.holds) == (True, True)
    assert "in 1 of 1 episodes it is higher at the end, in 0 it never falls" in rises.found
    assert "0.10 while A^H acts, 0.40 while A^L does" in lens.found
    rises, lens = strip.PART.claims({"episodes": [up, flat]})
    assert (rises.holds, lens.holds) == (False, True)
    assert [c.holds for c in scenes.PART.claims({"episodes": [up]})] == [True]
    assert [
        c.holds for c in scenes.PART.claims({"episodes": [up, episode(shot("A^H", 0.9), shot("A^L", 0.2))]})
    ] == [False]


def test_asked_for_all_counts_by_the_object_that_scores_highest_when_asked_for() -> None:
    def goal(title: str, near: float, far: float) -> dict:
        return {"title": title, "shots": [shot("A^L", max(near, far), near=near, far=far)]}

    single = [goal("near", 0.9, 0.0), goal("far", 0.2, 0.8)]
    data = {"scenes": {"two objects": [goal("all", 0.7, 0.1), goal("all", 0.1, 0.9), *single]}}
    data["distances_m"] = {"two objects": {"near": 0.5, "far": 1.0}}
    label, every = several.PART.claims(data)
    assert label.holds is True
    assert every.holds is False
    assert "1 of 2 with two objects" in every.found
    data["scenes"]["two objects"][1] = goal("all", 0.5, 0.1)
    assert several.PART.claims(data)[1].holds is True
    data["scenes"]["two objects"][-1] = goal("far", 0.2, 0.0)
    assert several.PART.claims(data)[0].holds is False


def test_results_of_another_version_are_refused_with_the_command_that_mends_them(tmp_path: Path) -> None:
    old = replace(scenes.PART, compute=lambda context: {"episodes": []}, draw=lambda data, folder: [])
    run_part(old, Context(tmp_path), MADE)
    with pytest.raises(ReportError, match=r"scenes are of another version.*--part scenes"):
        write_report(tmp_path, [replace(old, text=lambda data: data["missing"])])


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
    heads, open_claims = unmeasured()
    assert heads == ("place", "the paper says", "why nothing was measured")
    assert all(len(row) == 3 and all(row) for row in open_claims)
    page = (ROOT / "docs" / "explanation" / "paper.md").read_text()
    for name in ("readings", "twin", "unmeasured"):
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


def test_damaged_results_of_another_part_are_named_and_what_was_told_before_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Part(
        name="one", title="One", place=1, shows=(), compute=lambda context: {"n": 1}, rows=lambda data: [],
        draw=lambda data, folder: [], text=lambda data: "",
        claims=lambda data: [Claim("I", "it holds", f"{data['n']} of 1", True)],
    )  # fmt: skip
    other = replace(part, name="other", title="Other")
    monkeypatch.setattr(registry, "parts", lambda: [part, other, honesty.PART])
    told: list[str] = []
    context = Context(tmp_path, note=told.append)
    for each in registry.parts():
        assert run_part(each, context, MADE)
    before = (tmp_path / "honesty.json").read_bytes()
    (tmp_path / "one.json").write_text("{")
    run_part(replace(other, compute=lambda context: {"m": 1}), context, MADE)
    assert not run_part(honesty.PART, context, MADE)
    (sentence,) = told
    assert "one.json: is not JSON" in sentence
    assert "write it again with `dasha benchmark paper --out DIR --part one`" in sentence
    assert "the results of other are of another version" in sentence
    assert "--part other`" in sentence
    assert (tmp_path / "honesty.json").read_bytes() == before


def stack_row(policy: str = "plus", setting: str = "stacks_linear", objects: str = "all", **numbers) -> dict:
    row = {
        "setting": setting,
        "policy": policy,
        "objects": objects,
        "episodes": 12,
        "units": 3,
        "clusters": 2,
    }
    for key in (*stacks._SHARES, *stacks._MEANS):
        value = numbers.get(key, 0.5)
        row |= {key: value, f"{key}_low": value - 0.1, f"{key}_high": value + 0.1}
    return row | dict.fromkeys(("moves_first", "moves_first_low", "moves_first_high"))


def test_stacks_are_told_apart_with_what_was_left_out(tmp_path: Path) -> None:
    rows = [stack_row(), stack_row(objects="near", within_2px=0.4), stack_row(setting="stacks_srgb")]
    data = {"left_out": {"desk": "no objects"}, "methods": rows}
    part = replace(stacks.PART, compute=lambda context: data)
    run_part(part, Context(tmp_path), MADE)
    text = write_report(tmp_path, [part]).read_text()
    assert "3 objects of 2 focal stacks" in text
    assert "desk: no objects" in text
    assert "50 % (40 to 60)" in text
    places = [
        text.index(f"<h3>{each} response: 3 of 2 stacks")
        for each in (
            "All objects, linear",
            "Near objects, linear",
            "All objects, sRGB",
        )
    ]
    assert places == sorted(places)
    assert places[1] < text.index("40 % (30 to 50)") < places[2], "near objects have a table of their own"
    context = Context(tmp_path / "none")
    context.folder.mkdir()
    told: list[str] = []
    assert not run_part(stacks.PART, replace(context, note=told.append), MADE)
    assert "--stacks DIR" in told[0]


def test_claims_on_stacks_hold_or_fall_with_the_numbers_of_plus_alone() -> None:
    def held(*rows: dict) -> list[bool | None]:
        return [claim.holds for claim in stacks.PART.claims({"left_out": {}, "methods": list(rows)})]

    good = {"within_2px": 0.99, "moves_settled": 1.9}
    near = stack_row(objects="near", **good)
    assert held(stack_row(**good), near, stack_row("golden_section")) == [True, True]
    assert held(stack_row(**good | {"moves_settled": 2.1}), near) == [False, True]
    assert held(stack_row(**good), stack_row(objects="near", within_2px=0.9)) == [True, False]
    assert held(stack_row("golden_section", **good)) == []
    both = held(stack_row(**good), stack_row(setting="stacks_srgb", within_2px=0.9))
    assert both == [True, True, False, False], "each response curve has claims of its own"


def test_every_method_of_the_table_has_its_marks() -> None:
    assert {facts.quality for facts in FACTS.values()} == {"NR", "RB"}
    assert {name for name, facts in FACTS.items() if facts.deep} == {"paper", "plus", "planner", "greedy"}
