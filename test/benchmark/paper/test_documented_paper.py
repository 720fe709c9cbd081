"""The page of the paper says what the committed run found: a number that differs fails here."""

from __future__ import annotations

import json
import re
import statistics
from pathlib import Path

from documented import check

RESULTS = Path(__file__).resolve().parents[3] / "docs" / "results"


def test_the_committed_run_of_the_paper_is_what_its_page_says() -> None:
    from dasha_ros.benchmark.paper.parts import curves, latents
    from dasha_ros.benchmark.paper.parts.table_1.facts import FACTS

    folder = RESULTS / "paper"
    policies = {facts.title: policy for policy, facts in FACTS.items()}
    rows = json.loads((folder / "table_1.json").read_text())["data"]["methods"]
    text = (folder / "README.md").read_text(encoding="utf-8")
    checked = 0
    for setting, heading in (("planes_paper", "## 1.4 to 2.0 m"), ("planes_wide", "## 0.3 to 10 m")):
        lines = text[text.index(heading) :].split("\n\n")[1].splitlines()[2:]
        for line in lines:
            title, *cells = (cell.strip() for cell in line.strip("|").split("|"))
            wanted = policies[title], setting
            (row,) = [row for row in rows if (row["policy"], row["setting"]) == wanted]
            for key, cell in zip(("in_focus", "detected", "af_steps", "af_seconds"), cells, strict=True):
                scale = 100.0 if key in {"in_focus", "detected"} else 1.0
                numbers = re.findall(r"[\d.]+", cell)
                ends = [row[key][end] for end in ("mean", "low", "high")]
                for number, end in zip(numbers, ends, strict=True):
                    check(number, scale * end, f"{title}, {setting}, {key}")
                    checked += 1
    assert checked == 2 * len(FACTS) * 4 * 3
    recalls = json.loads((folder / "recall.json").read_text())["data"]["recall"]
    lines = text[text.index("| detector | light") :].split("\n\n")[0].splitlines()[2:]
    for line, row in zip(lines, (row for row in recalls if row["defocus_d"] is None), strict=True):
        detector, light, episodes, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        lux = row["illuminance_lx"]
        assert (detector, light) == (row["detector"], "all" if lux is None else f"{lux:g} lx")
        assert int(episodes) == row["episodes"]
        ends = [100.0 * row[key][end] for key in ("off", "on") for end in ("mean", "low", "high")]
        for number, measured in zip(re.findall(r"[\d.]+", " ".join(cells)), ends, strict=True):
            check(number, measured, f"recall of {detector}, {light}")
    for part in (curves.PART, latents.PART):
        html = part.after(json.loads((folder / f"{part.name}.json").read_text())["data"])
        for row in html[: html.index("</table>")].split("<tr>")[2:]:
            line = " | ".join(re.findall("<td>(.*?)</td>", row))
            assert f"| {line} |" in text, f"the page of the paper does not say: {line}"
    for name in ("table_1", "exposure", "curves", "latents", "hand_over", "apertures", "recall", "stacks"):
        made = json.loads((folder / f"{name}.json").read_text())["made"]
        assert {"command", "dasha_ros", "python", "numpy", "onnxruntime", "machine"} <= made.keys()
        assert "--seed 0" in made["command"]


def test_the_committed_pictures_of_the_paper_are_what_its_page_says() -> None:
    from dasha_ros.benchmark.paper.parts import scenes, several, strip

    folder = RESULTS / "paper"
    text = (folder / "README.md").read_text(encoding="utf-8")
    names = ("strip", "several", "scenes")
    held = {name: json.loads((folder / f"{name}.json").read_text())["data"] for name in names}
    lines = text[text.index("| scene | object |") :].split("\n\n")[0].splitlines()[2:]
    assert len(lines) == 7
    for line in lines:
        scene, label, metres, *numbers = (cell.strip() for cell in line.strip("|").split("|"))
        rows = held["several"]["scenes"][scene]
        assert float(metres) == held["several"]["distances_m"][scene][label]
        every = statistics.fmean(several.scores(rows, "all", label))
        for number, value in zip(numbers, (*several.asked_against_not(rows, label), every), strict=True):
            check(number, value, f"{scene}, {label}")
    text = " ".join(text.split())
    for part, begins in ((strip.PART, "In "), (scenes.PART, "The object is found")):
        said = re.sub("<[^>]*>", "", part.text(held[part.name])).removesuffix(".")
        sentence = next(each for each in said.split(". ") if each.startswith(begins))
        assert sentence in text, f"the page of the paper does not say: {sentence}"
    assert "7 of 7 objects score higher" in several.PART.text(held["several"])


def test_the_page_of_the_paper_has_every_claim_as_it_was_found() -> None:
    from dasha_ros.benchmark.paper import registry
    from dasha_ros.benchmark.paper.parts.honesty import VERDICTS

    folder = RESULTS / "paper"
    text = (folder / "README.md").read_text(encoding="utf-8")
    held = json.loads((folder / "honesty.json").read_text())["data"]
    lines = text[text.index("| claim of the paper") :].split("\n\n")[0].splitlines()[2:]
    expected = [
        f"| {c['says']} | {c['where']} | {c['found']} | {VERDICTS[c['holds']]} |" for c in held["claims"]
    ]
    assert [line.replace("**", "") for line in lines] == expected
    assert [line[2:] for line in text.splitlines() if line[2:] in held["wide"]] == held["wide"]
    for part in registry.parts():
        if part.name == "honesty":
            continue
        data = json.loads((folder / f"{part.name}.json").read_text())["data"]
        found = [claim.found for claim in part.claims(data)]
        assert found == [c["found"] for c in held["claims"] if c["part"] == part.name], part.name


def test_the_page_of_the_paper_has_the_tables_of_real_stacks_and_only_there() -> None:
    from dasha_ros.benchmark.paper.parts import stacks

    folder = RESULTS / "paper"
    text = (folder / "README.md").read_text(encoding="utf-8")
    data = json.loads((folder / "stacks.json").read_text())["data"]
    before, _, rest = text.partition("## On real focal stacks\n")
    section, _, after = rest.partition("\n## ")
    blocks = dict(block.split("\n", 1) for block in section.split("\n### ")[1:])
    assert list(blocks) == [
        f"{objects} objects, {curve} response" for curve in ("linear", "sRGB") for objects in ("All", "Near")
    ]
    for title, block in blocks.items():
        setting = "stacks_linear" if "linear" in title else "stacks_srgb"
        rows = stacks.rows_of(data, setting, title.partition(" ")[0].lower())
        written = [line for line in block.splitlines() if line.startswith("| ")][1:]
        assert written == [f"| {' | '.join(stacks.line(row))} |" for row in rows], title
        assert not any(line in before + after for line in written)
