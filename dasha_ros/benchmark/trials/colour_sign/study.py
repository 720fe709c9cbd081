"""Whether patches carry the sign of their defocus: rows for each stack, and over stacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.table import markdown
from dasha_ros.benchmark.trials.colour_sign.logistic import Numbers, fitted
from dasha_ros.benchmark.trials.colour_sign.patches import Details, Patches
from dasha_ros.benchmark.trials.intervals import share_of

BLURS_PX = (1.0, 2.0, 3.0, 4.0, 6.0)
"""Blurs at which patches are judged [px at 640]."""
LEAST_PATCHES = 20
"""A stack with fewer patches at a blur is not judged there."""
JUDGED = ("two_pictures", "one_picture", "grey_alone", "all_patches")
_RED, _GREEN, _BLUE = 0, 1, 2
_Pair = tuple[Details, Details]


def study(found: Sequence[Patches], blurs_px: Sequence[float] = BLURS_PX) -> list[Row]:
    """A row for each blur and stack with enough patches, then one for each blur over these stacks.

    What a share is judged with was taken from the other stacks only, so it is ``None`` for a stack that has
    no other beside it. Stacks count the same, however many patches they have.

    - ``stack``, ``chroma``; ``blur_px``; ``patches``: how many
    - ``ratio_change``: log(red/blue detail) focused too near, less that focused too far; median over patches
    - ``redder_near``: share of patches in which that is positive: red focuses farther than blue
    - ``two_pictures``: share of patches whose two pictures it tells apart, if its sign is as on other stacks
    - ``one_picture``: share of single pictures of a patch whose sign is right, by detail in three colours
    - ``grey_alone``: the same by detail in green alone: what is not due to colour
    - ``all_patches``: as ``one_picture``, where all patches of a stack vote that are focused too near, and
      all that are focused too far

    Rows over stacks have no ``stack``, but ``stacks``, how many; ``stacks_redder_near``, in how many of them
    most patches are so; and 95 % intervals by stack, ``KEY_low`` and ``KEY_high``.

    Args:
        found: The patches of each stack.
        blurs_px: See `BLURS_PX`.
    """
    rows: list[Row] = []
    for blur_px in blurs_px:
        pairs = {patches.stack: patches.pair(blur_px) for patches in found}
        pairs = {name: pair for name, pair in pairs.items() if len(pair[0]) >= LEAST_PATCHES}
        chroma = {patches.stack: patches.chroma for patches in found}
        mine = [
            {"stack": name, "chroma": chroma[name], "blur_px": blur_px, **_judged(name, pairs)}
            for name in pairs
        ]
        rows += [*mine, *([_over_stacks(mine)] if mine else [])]
    return rows


def tables(rows: Sequence[Row]) -> str:
    """Markdown of `study`: over stacks, and each stack."""
    every = [row for row in rows if row["stack"] is None]
    single = [row for row in rows if row["stack"] is not None]
    names = sorted({row["stack"] for row in single})
    single.sort(key=lambda row: (names.index(row["stack"]), row["blur_px"]))
    over = ("blur_px", "stacks", "stacks_redder_near", "patches", *JUDGED)
    own = ("stack", "chroma", "blur_px", "patches", "ratio_change", "redder_near", *JUDGED[1:])
    return f"### Over stacks\n\n{markdown(every, over)}\n### Each stack\n\n{markdown(single, own)}"


def _judged(name: str, pairs: dict[str, _Pair]) -> Row:
    pair = pairs[name]
    others = [each for other, each in pairs.items() if other != name]
    change = _change(pair)
    redder = _positive(change)
    row: Row = {
        "patches": len(change),
        "ratio_change": round(float(np.median(change)), 3),
        "redder_near": round(redder, 4),
        **dict.fromkeys(JUDGED),
    }
    if not others:
        return row
    sign = np.mean([_positive(_change(each)) for each in others]) - 0.5
    near, far = _odds_of_near(pair, others, _colours)
    grey = _odds_of_near(pair, others, _grey)
    shares = {
        "two_pictures": redder if sign > 0 else 1.0 - redder,
        "one_picture": _right(near, far),
        "grey_alone": _right(*grey),
        "all_patches": _right(near.mean(keepdims=True), far.mean(keepdims=True)),
    }
    return row | {key: round(value, 4) for key, value in shares.items()}


def _over_stacks(rows: Sequence[Row]) -> Row:
    line: Row = {
        "stack": None,
        "blur_px": rows[0]["blur_px"],
        "stacks": len(rows),
        "stacks_redder_near": sum(row["redder_near"] > 0.5 for row in rows),
        "patches": sum(row["patches"] for row in rows),
    }
    for key in JUDGED:
        values = {row["stack"]: [row[key]] for row in rows if row[key] is not None}
        share = share_of(values) if values else None
        ends = (share.mean, share.low, share.high) if share is not None else (None, None, None)
        for name, value in zip((key, f"{key}_low", f"{key}_high"), ends, strict=True):
            line[name] = None if value is None else round(value, 4)
    return line


def _change(pair: _Pair) -> Numbers:
    """Of each patch: log(red/blue) focused too near less that focused too far, mean over bands."""
    near, far = (each[:, _RED] - each[:, _BLUE] for each in pair)
    return np.asarray((near - far).mean(axis=-1), np.float64)


def _odds_of_near(
    pair: _Pair, others: Sequence[_Pair], features: Callable[[Details], Numbers]
) -> tuple[Numbers, Numbers]:
    """Log odds of "focused too near", learned from other stacks: of pictures that are so, and of others."""
    known = np.concatenate([features(picture) for each in others for picture in each])
    is_near = np.concatenate([np.full(len(each[0]), side) for each in others for side in (True, False)])
    weights = np.concatenate([np.full(2 * len(each[0]), 1.0 / len(each[0])) for each in others])
    odds = fitted(known, is_near, weights)
    return odds(features(pair[0])), odds(features(pair[1]))


def _grey(details: Details) -> Numbers:
    """How green detail falls from band to band, whatever the contrast of the patch."""
    return np.asarray(-np.diff(details[:, _GREEN], axis=-1), np.float64)


def _colours(details: Details) -> Numbers:
    """The same of every colour against another, whatever the colour of the patch."""
    against = [np.diff(details[:, _RED] - details[:, other], axis=-1) for other in (_GREEN, _BLUE)]
    return np.concatenate([_grey(details), *against], axis=1, dtype=np.float64)


def _positive(values: Numbers) -> float:
    """Share of values above 0; one that is 0 counts half."""
    return float(0.5 + 0.5 * np.sign(values).mean())


def _right(near: Numbers, far: Numbers) -> float:
    return 0.5 * (_positive(near) + _positive(-far))
