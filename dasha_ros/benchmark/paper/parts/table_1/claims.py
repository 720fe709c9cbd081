"""What the numbers of Table 1 say of the paper's claims."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dasha_ros.benchmark.paper.part import Claim, Data
from dasha_ros.benchmark.paper.parts.table_1.facts import CLAIMS, FACTS
from dasha_ros.benchmark.paper.words import number_text, share_text

DETECTED = 0.98
"""From this share on, "finds the focus" counts as reproduced."""
STEPS = 2.0


def row_of(data: Data, policy: str, setting: str) -> Mapping[str, Any]:
    """The row of a method in a setting."""
    wanted = policy, setting
    found: Mapping[str, Any] = next(r for r in data["methods"] if (r["policy"], r["setting"]) == wanted)
    return found


def claims(data: Data) -> list[Claim]:
    """Steps and time of DASHA and its rivals, where it finds the focus, and what it learned before."""
    held = {row["policy"] for row in data["methods"]}
    rows = {c.ours: row_of(data, c.ours, "planes_paper") for c in CLAIMS if c.ours in held}
    found: list[Claim] = []
    if (paper := rows.get("paper")) is not None:
        steps = paper["af_steps"]
        works = paper["detected"]["mean"] >= DETECTED and steps is not None and steps["mean"] <= STEPS
        found.append(
            Claim(
                "V.A.1, Table 1",
                "once trained, 2 steps on average find the focus",
                f"{number_text(steps)} steps where it ended in focus; detected "
                f"{share_text(paper['detected'])}, within 2 px {share_text(paper['in_focus'])}",
                works,
            )
        )
        if any((row["policy"], row["setting"]) == ("paper", "planes_wide") for row in data["methods"]):
            wide = row_of(data, "paper", "planes_wide")
            found.append(
                Claim(
                    "V.A.1",
                    "it finds the focus regardless of the arrangement of the objects",
                    f"at 1.4 to 2.0 m detected in {share_text(paper['detected'])}; at 0.3 to 10 m in "
                    f"{share_text(wide['detected'])}, within 2 px {share_text(wide['in_focus'])}",
                    wide["detected"]["mean"] >= DETECTED,
                )
            )
    for claim in CLAIMS:
        row = rows.get(claim.ours)
        if row is None or row["af_seconds"] is None:
            continue
        steps = f" and {number_text(claim.steps)} steps" if claim.steps is not None else ""
        found.append(
            Claim(
                "Table 1",
                f"{claim.facts.title} takes {claim.seconds:g} s{steps}",
                f"{number_text(row['af_seconds'])} s and {number_text(row['af_steps'])} steps of "
                f"{FACTS[claim.ours].title}; the paper does not say what its seconds are made of",
                None,
            )
        )
    if (ten := rows.get("ten_dqn")) is not None:
        found.append(
            Claim(
                "V.A.1",
                "TEN [12] takes more than 10 steps to get certain scenes in focus",
                f"in {share_text(ten['over_ten'])} of the episodes",
                ten["over_ten"]["mean"] > 0.0,
            )
        )
    if "paper" in rows:
        found.append(
            Claim(
                "V.A.1, Table 1",
                "DASHA needs no virtual pre-training",
                "not shown here: paper and plus learned in the twin, before they act",
                False,
            )
        )
    times = {name: row["af_seconds"]["mean"] for name, row in rows.items() if row["af_seconds"] is not None}
    if len(times) == len(CLAIMS):
        found.append(
            Claim(
                "V.A.1",
                "DASHA is the fastest of the three",
                ", ".join(f"{FACTS[name].title} {seconds:.2f} s" for name, seconds in times.items()),
                min(times, key=lambda name: times[name]) == "paper",
            )
        )
    return found


def wide_band(data: Data) -> list[str]:
    """Where the paper's formulation ends, in numbers, and why; nothing if it was not played."""
    held = {row["policy"] for row in data["methods"]}
    if not {"paper", "constant", "plus"} <= held:
        return []
    here = {name: row_of(data, name, "planes_paper") for name in ("paper", "constant")}
    wide = {name: row_of(data, name, "planes_wide") for name in ("paper", "constant", "plus")}
    return [
        f"At 1.4 to 2.0 m the preset paper ends within 2 px in {share_text(here['paper']['in_focus'])} and "
        f"one constant voltage in {share_text(here['constant']['in_focus'])}: in this band a policy need "
        "not look at the picture.",
        f"At 0.3 to 10 m the preset paper ends within 2 px in {share_text(wide['paper']['in_focus'])}, the "
        f"constant voltage in {share_text(wide['constant']['in_focus'])}, and plus in "
        f"{share_text(wide['plus']['in_focus'])}.",
        "Algorithm 2 ends with the first detection, not with a sharp picture: at 0.3 to 10 m the preset "
        f"paper detected the object in {share_text(wide['paper']['detected'])}, more often than it was in "
        "focus.",
        "Actions are absolute voltages, decided from the latent of one picture. One picture holds no sign "
        "of defocus, and its blur alone does not tell how far the object is: plus joins several pictures "
        "with the positions at which they were taken.",
    ]
