"""Labels of objects: one spelling inside, several accepted."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

_ALIASES = {
    "aeroplane": "airplane",
    "motorbike": "motorcycle",
    "sofa": "couch",
    "pottedplant": "potted plant",
    "diningtable": "dining table",
    "tvmonitor": "tv",
}
"""Darknet's list of COCO names keeps six names of PASCAL VOC; everyone else uses COCO's own."""


def canonical(label: str) -> str:
    """COCO's spelling of a label: ``motorbike`` becomes ``motorcycle``."""
    text = " ".join(label.strip().lower().replace("_", " ").split())
    return _ALIASES.get(text, text)


def unknown_label(labels: Iterable[str], known: Sequence[str], detector: str) -> str:
    """Why these labels can't be looked for, empty when the detector knows them all."""
    for label in labels:
        name = canonical(label)
        if name in known:
            continue
        spellings = [*known, *(alias for alias, label in _ALIASES.items() if label in known)]
        close = dict.fromkeys(map(canonical, difflib.get_close_matches(name, spellings, n=3)))
        hint = (
            f"did you mean {' or '.join(close)}?" if close else "see the topic perception/info for its list"
        )
        return f"{detector} does not know the label {label!r} among its {len(known)}: {hint}"
    return ""
