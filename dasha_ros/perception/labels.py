"""Labels of objects: converts spellings, and suggests labels for unknown ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dasha_ros.perception.synonyms import same_meaning
from dasha_ros.system.text import is_text

_ALIASES = {
    "aeroplane": "airplane",
    "motorbike": "motorcycle",
    "sofa": "couch",
    "pottedplant": "potted plant",
    "diningtable": "dining table",
    "tvmonitor": "tv",
}
"""Darknet's list of COCO names has six names of PASCAL VOC; everybody else uses COCO's own."""
MOST_HINTS = 3
_ONE_LETTER, _TWO_LETTERS = 6, 7
"""Lengths from which one or two letters may be wrong. Shorter words differ from others by one letter (boot,
boat), so hints for them would often be nonsense."""
LONGEST = 64
"""Longest label that a message repeats in full."""
MOST_WORDS = 100
"""Most labels that an open-vocabulary detector is asked for: COCO's 80, and those of the last goals. Each
costs time in every picture."""


def canonical(label: str) -> str:
    """COCO's spelling of a label: ``motorbike`` becomes ``motorcycle``."""
    text = " ".join(label.strip().lower().replace("_", " ").split())
    return _ALIASES.get(text, text)


def unfit_label(label: object) -> str:
    """Why something can't be a label in a message; empty if it can. The reason continues after the label."""
    if not isinstance(label, str):
        return f"is no text, but of the type {type(label).__name__}"
    if not label.strip():
        return "is empty"
    if "\0" in label:
        return "holds a zero byte"
    return "" if is_text(label) else "is no valid text"


def one_by_one(labels: Iterable[str]) -> list[str]:
    """Split texts of several labels at their commas: ``person, cup`` is two labels."""
    return [part.strip() for label in labels for part in label.split(",") if part.strip()]


def unknown_label(labels: Iterable[str], known: Sequence[str], detector: str) -> str:
    """Why the detector can't find these labels; empty if it does, or if ``known`` is empty: unknown."""
    for label in labels if known else ():
        name = canonical(label)
        if name in known:
            continue
        if "," in label:
            parts = one_by_one([label])
            return f"the label {_shown(label)} holds a comma: give every label by itself, as in {parts[:8]}"
        hints = meant(name, known)
        hint = (
            f"did you mean {' or '.join(hints)}?" if hints else "see the topic perception/info for its list"
        )
        return f"{detector} does not know the label {_shown(label)} among its {len(known)}: {hint}"
    return ""


def vocabulary_with(labels: Iterable[str], known: Sequence[str]) -> list[str]:
    """What an open-vocabulary detector shall look for so that it finds these labels, too.

    Returns:
        The known labels and then the new ones, at most `MOST_WORDS`: the first are given up. Empty if a
        label is none: too long, or several in one.
    """
    names = list(dict.fromkeys(canonical(label) for label in labels))
    if any(not name or len(name) > LONGEST or "," in name for name in names):
        return []
    others = [name for name in known if name not in names]
    return [*others, *names][-MOST_WORDS:]


def meant(label: str, known: Sequence[str]) -> list[str]:
    """Known labels that an unknown label may mean.

    They match by meaning (``fridge``: refrigerator), else by a really close spelling; without a good match
    the list is empty.

    Returns:
        At most `MOST_HINTS`, each one of ``known``.
    """
    name = canonical(label)
    if len(name) > LONGEST:
        return []
    by_meaning = same_meaning(name, known)
    if by_meaning:
        return by_meaning[:MOST_HINTS]
    spellings = {known_label: known_label for known_label in known}
    spellings |= {alias: other for alias, other in _ALIASES.items() if other in known}
    # Two mistakes rarely include the first letter.
    near = [
        (distance, other)
        for spelling, other in spellings.items()
        if (distance := _distance(name, spelling)) < 2 or name[:1] == spelling[:1]
    ]
    least = min((distance for distance, _ in near), default=0)
    if not 0 < least <= _most_wrong(name):
        return []
    return list(dict.fromkeys(other for distance, other in near if distance == least))[:MOST_HINTS]


def _most_wrong(name: str) -> int:
    return int(len(name) >= _ONE_LETTER - 1) + int(len(name) >= _TWO_LETTERS)


def _distance(a: str, b: str) -> int:
    """Number of letters to change, add, remove, or swap with a neighbour (restricted Damerau distance)."""
    if abs(len(a) - len(b)) > 2 or (len(a) == len(b) < _ONE_LETTER and sorted(a) != sorted(b)):
        return 99
    last: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before_last, last, row = last, row, [i]
        for j, y in enumerate(b, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before_last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _shown(label: str) -> str:
    return repr(label if len(label) <= LONGEST else label[:LONGEST] + "...")
