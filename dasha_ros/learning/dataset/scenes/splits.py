"""Training, validation and test: by photograph, in folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dasha_ros.learning.dataset.scenes.views import ViewInfo


@dataclass(frozen=True)
class Split:
    """Indices of views, ascending. No photograph is in two of the three parts.

    The three hold plain views only: what is judged is the same whatever is learned from.
    """

    number: int
    train: NDArray[np.intp]
    validation: NDArray[np.intp]
    test: NDArray[np.intp]


def copies_of(views: Sequence[ViewInfo], numbers: NDArray[np.intp]) -> NDArray[np.intp]:
    """The copies under disturbances of one part of a split, ascending.

    Args:
        views: All views.
        numbers: The plain views of that part: their folds are in no other part.
    """
    folds = {views[number].fold for number in numbers}
    return np.array(
        [i for i, view in enumerate(views) if view.disturbance is not None and view.fold in folds], np.intp
    )


def with_copies(views: Sequence[ViewInfo], numbers: NDArray[np.intp]) -> list[int]:
    """Numbers of the views of one part of a split, and then of their copies under disturbances.

    Args:
        views: All views.
        numbers: The plain views of that part.
    """
    return [*numbers.tolist(), *copies_of(views, numbers).tolist()]


def learned_from(views: Sequence[ViewInfo], number: int) -> frozenset[int]:
    """Views that training on a split reads: those it learns from and those it is validated on.

    Raises:
        ValueError: There is no such split.
    """
    folds = len({view.fold for view in views})
    if folds >= 3 and number >= folds:
        raise ValueError(f"there are {folds} folds of photographs, so splits are 0 to {folds - 1}")
    split = splits(views, number + 1)[number]
    copies = copies_of(views, split.train)
    return frozenset(int(view) for view in (*split.train, *split.validation, *copies))


def splits(views: Sequence[ViewInfo], count: int = 3, seed: int = 0) -> tuple[Split, ...]:
    """Splits of about 60 / 20 / 20 % by photograph (at five folds); their test parts don't overlap.

    Every photograph belongs to one fold, and a composite uses photographs of one fold only, so every
    split uses all views.

    Args:
        views: Views of a scene set.
        count: How many; at most as many as there are folds.
        seed: Seed of the order in which folds are tested.

    Raises:
        ValueError: Fewer than three folds, or more splits than folds.
    """
    folds = np.array([view.fold for view in views])
    is_plain = np.array([view.disturbance is None for view in views], bool)
    present = np.unique(folds)
    if len(present) < 3:
        raise ValueError(f"a split needs views in three folds; these {len(views)} are in {len(present)}")
    if not 1 <= count <= len(present):
        raise ValueError(f"{count} splits with different tests can't be made of {len(present)} folds")
    order = np.random.default_rng(seed).permutation(present)
    made = []
    for number in range(count):
        test, validation = order[number], order[(number + 1) % len(order)]
        is_train = (folds != test) & (folds != validation)
        made.append(
            Split(
                number,
                np.flatnonzero(is_train & is_plain),
                np.flatnonzero((folds == validation) & is_plain),
                np.flatnonzero((folds == test) & is_plain),
            )
        )
    return tuple(made)
