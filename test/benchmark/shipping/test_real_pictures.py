"""Which runs may ship by what they did on real focal stacks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.benchmark.shipping.choice import Candidate
from dasha_ros.benchmark.shipping.real_pictures import REQUIRED, allowed, said
from dasha_ros.learning.training.run_folder import TrainingError

PLAYED = [("linear", "all"), ("linear", "near"), ("linear", "far"), ("srgb", "all"), ("srgb", "near")]
SHARES = st.tuples(st.floats(0.85, 1.0), st.floats(0.0, 0.05))
GOOD = 0.97, 0.01


def rows(seed: int, *reached: tuple[float, float]) -> list[dict[str, object]]:
    return [
        {
            "setting": f"stacks_{tone}", "objects": objects, "policy_seed": seed, "within_2px": within,
            "false_found": false,
        }
        for (tone, objects), (within, false) in zip(PLAYED, reached, strict=True)
    ]  # fmt: skip


def order(*seeds: int) -> list[Candidate]:
    return [Candidate(seed, 0, 0.9 - 0.1 * place) for place, seed in enumerate(seeds)]


@given(st.lists(st.tuples(*[SHARES] * len(PLAYED)), min_size=1, max_size=5))
def test_only_runs_that_keep_every_requirement_stay_and_keep_their_order(reached):
    played = [row for seed, each in enumerate(reached) for row in rows(seed, *each)]

    def is_good(seed: int) -> bool:
        all_of_linear, near, _, all_of_srgb, _ = reached[seed]
        return (
            all_of_linear[0] >= 0.93 and all_of_linear[1] <= 0.02 and near[0] >= 0.9 and near[1] <= 0.04
            and all_of_srgb[0] >= 0.9 and all_of_srgb[1] <= 0.04
        )  # fmt: skip

    every = order(*reversed(range(len(reached))))
    good = [one for one in every if is_good(one.seed)]
    if good:
        assert allowed(every, played) == good
    else:
        with pytest.raises(TrainingError, match="none of these runs ships"):
            allowed(every, played)


def test_what_a_run_reached_and_what_it_missed_is_told():
    reached = [GOOD, (0.889, 0.041), GOOD, GOOD, GOOD]
    text = said(order(3), rows(3, *reached))
    assert text == (
        "seed 3: linear, all objects 97.0 and 1.0 %, linear, near objects 88.9 and 4.1 %, "
        "srgb, all objects 97.0 and 1.0 %"
    )
    with pytest.raises(TrainingError) as refused:
        allowed(order(3), rows(3, *reached))
    for words in ("seed 3: linear, near objects: 88.9 % within 2 px, at least 90 %", "4.1 %", "--seed"):
        assert words in str(refused.value)


def test_a_run_that_was_not_played_is_not_taken_for_a_good_one():
    played = rows(3, *[GOOD] * len(PLAYED))
    with pytest.raises(TrainingError, match="seed 5 was not played"):
        allowed(order(5), played)
    with pytest.raises(TrainingError, match="seed 3 was not played on the stacks in srgb"):
        allowed(order(3), played[:3])


def test_stacks_without_near_objects_require_nothing_of_them():
    played = [row for row in rows(3, *[GOOD] * len(PLAYED)) if row["objects"] != "near"]
    assert allowed(order(3), played) == order(3)
    assert {need.objects for need in REQUIRED} == {"all", "near"}
