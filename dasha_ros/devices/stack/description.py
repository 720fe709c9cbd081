"""A focal stack on disk: a folder of frames and the ``stack.yaml`` that says what they are.

Frames are in the order of the numbers in their names, nearest focus first, evenly spaced in sensor position,
which is even in dioptres as well at the distances of such scenes::

    frames: 26                  # optional: checked against the folder
    blur_px_per_frame: 0.46     # growth of the blur radius a frame, at 640 px of picture width; without it,
                                # the lens has no calibrated map
    objects:                    # optional: the truth that evaluations need
      - label: person
        sharpest_frame: 23      # frames count from 0; halves are allowed
        in_focus: [21, 27]      # the range that counts as in focus; it may lie partly beyond the stack
        box: [0.63, 0.61, 0.66, 0.68]   # x0, y0, x1, y1 as shares of the picture
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dasha_ros.files.documents import read_yaml
from dasha_ros.files.errors import FileError, shown
from dasha_ros.files.naming import expanded
from dasha_ros.files.picture_names import READ
from dasha_ros.files.pictures import picture_size
from dasha_ros.files.regular import MEGABYTE, read_bytes
from dasha_ros.files.validation import reasons

FILE = "stack.yaml"
"""The file that makes a folder a stack."""
MOST_FRAMES = 1000
_MOST_BYTES = 256 * MEGABYTE
_Share = Annotated[float, Field(ge=0.0, le=1.0)]


class StackError(ValueError):
    """A folder can't be used as a focal stack; the message names it and says why."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class StackObject(_Model):
    """An object whose true focus is known."""

    label: Annotated[str, Field(min_length=1, max_length=64)]
    """As the detector calls it."""
    sharpest_frame: Annotated[float, Field(ge=0.0)]
    """Where it is sharpest; frames count from 0."""
    in_focus: tuple[float, float]
    """First and last place that count as in focus. An object that is sharpest near an end of a stack stays
    in focus beyond it."""
    box: tuple[_Share, _Share, _Share, _Share]
    """x0, y0, x1, y1 as shares of the picture."""

    @model_validator(mode="after")
    def _ordered(self) -> StackObject:
        first, last = self.in_focus
        if not first <= self.sharpest_frame <= last:
            raise ValueError(
                f"in_focus {first:g} to {last:g} must ascend and hold sharpest_frame {self.sharpest_frame:g}"
            )
        x0, y0, x1, y1 = self.box
        if not (x0 < x1 and y0 < y1):
            raise ValueError(f"box {list(self.box)} must be x0, y0, x1, y1 with x0 < x1 and y0 < y1")
        return self


class _Document(_Model):
    frames: Annotated[int, Field(ge=2, le=MOST_FRAMES)] | None = None
    blur_px_per_frame: Annotated[float, Field(gt=0.0, le=20.0)] | None = None
    objects: tuple[StackObject, ...] = ()

    @model_validator(mode="after")
    def _measured(self) -> _Document:
        if self.objects and self.blur_px_per_frame is None:
            raise ValueError(
                "blur_px_per_frame is missing: without it, nobody knows how blurred an object is"
            )
        return self


@dataclass(frozen=True)
class Stack:
    """A focal stack: where its frames are, and what is known of them."""

    folder: Path
    files: tuple[Path, ...]
    """The frames, nearest focus first."""
    size: tuple[int, int]
    """Width and height of every frame [px]."""
    blur_px_per_frame: float | None
    """Growth of the blur radius a frame [px at 640 px of picture width]; ``None``: nobody measured it."""
    objects: tuple[StackObject, ...]
    """The objects whose truth is known; may be empty."""

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    def digest(self) -> str:
        """Identifies the frames and what is said of them, whatever the folder is called.

        Raises:
            StackError: A frame can't be read.
        """
        content = hashlib.sha256(repr((self.blur_px_per_frame, self.objects)).encode())
        for path in self.files:
            try:
                content.update(hashlib.sha256(read_bytes(path, _MOST_BYTES)).digest())
            except FileError as error:
                raise _refused(self.folder, f"frame {error}") from error
        return content.hexdigest()[:16]


def load_stack(folder: str | Path) -> Stack:
    """Read what a folder says of its frames, and check the frames' number, order and sizes.

    Raises:
        StackError: The folder is no stack, or its ``stack.yaml`` or its frames are wrong.
    """
    path = expanded(folder, lambda why: StackError(f"focal stack {why}"))
    try:
        return _loaded(path.resolve())
    except RuntimeError as error:  # How Python before 3.13 tells of such a link.
        raise _refused(path.absolute(), "a link in its path leads back to itself") from error
    except OSError as error:  # A folder that this user may not enter, or a disk that fails.
        raise _refused(path.absolute(), f"it can't be read: {error.strerror or error}") from error


def _loaded(path: Path) -> Stack:
    if not path.is_dir():
        raise _refused(path, "it is a file, not a folder" if path.exists() else "there is no such folder")
    document = _document(path)
    files = _frames(path)
    if document.frames is not None and document.frames != len(files):
        raise _refused(path, f"{FILE} says {document.frames} frames, and the folder holds {len(files)}")
    for number, thing in enumerate(document.objects):
        if thing.sharpest_frame > len(files) - 1:
            raise _refused(
                path,
                f"{FILE}: objects.{number}.sharpest_frame is {thing.sharpest_frame:g}, and the last frame is "
                f"{len(files) - 1}; frames count from 0",
            )
    return Stack(path, files, _size(path, files), document.blur_px_per_frame, document.objects)


def _document(folder: Path) -> _Document:
    if not (folder / FILE).exists():
        raise _refused(folder, f"it holds no {FILE}; docs/how-to/use-focal-stacks.md says how to write one")
    try:
        values = read_yaml(folder / FILE)
        if not isinstance(values, dict):
            raise _refused(folder, f"{FILE} must hold the keys blur_px_per_frame and objects")
        return _Document(**values)
    except FileError as error:
        raise _refused(folder, f"{FILE} {error.reason}") from error
    except (ValidationError, TypeError) as error:
        raise _refused(folder, f"{FILE}: {reasons(error, model=_Document)}") from error


def _frames(folder: Path) -> tuple[Path, ...]:
    """The pictures in a folder, in the order of the numbers in their names."""
    found: dict[tuple[int, ...], Path] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.suffix.lower() not in READ:
            continue
        numbers = tuple(int(digits) for digits in re.findall(r"\d+", path.stem))
        if not numbers:
            raise _refused(
                folder, f"the name of {shown(path.name)} holds no number, so nobody knows its place"
            )
        if numbers in found:
            raise _refused(
                folder, f"{shown(found[numbers].name)} and {shown(path.name)} have the same number"
            )
        found[numbers] = path
    ordered = sorted(found)
    if len(ordered) < 2:
        held = "1 frame" if ordered else "no picture"
        raise _refused(folder, f"it holds {held}; a stack needs at least two, whose names hold numbers")
    if len(ordered) > MOST_FRAMES:
        raise _refused(folder, f"it holds {len(ordered)} frames; at most {MOST_FRAMES} are read")
    first = ordered[0]
    if others := [numbers for numbers in ordered if numbers[:-1] != first[:-1]]:
        names = shown(found[first].name), shown(found[others[0]].name)
        raise _refused(folder, f"its frames are named in different ways, as {names[0]} and {names[1]}")
    steps = [after[-1] - before[-1] for before, after in pairwise(ordered)]
    usual = min(steps)
    if odd := [number for number, step in enumerate(steps) if step != usual]:
        before, after = (found[ordered[odd[0] + i]].name for i in (0, 1))
        raise _refused(
            folder,
            f"a frame is missing between {shown(before)} and {shown(after)}: their numbers are "
            f"{steps[odd[0]]} apart, others {usual}, and frames must be evenly spaced",
        )
    return tuple(found[numbers] for numbers in ordered)


def _size(folder: Path, files: tuple[Path, ...]) -> tuple[int, int]:
    try:
        sizes = [picture_size(path) for path in files]
    except FileError as error:
        raise _refused(folder, f"frame {shown(error.path.name)} {error.reason}") from error
    for path, size in zip(files, sizes, strict=True):
        if size != sizes[0]:
            raise _refused(
                folder,
                f"{shown(path.name)} has {size[0]} x {size[1]} pixels and {shown(files[0].name)} "
                f"{sizes[0][0]} x {sizes[0][1]}; all frames must have one size",
            )
    return sizes[0]


def _refused(folder: Path, why: str) -> StackError:
    return StackError(f"focal stack {shown(folder)}: {why}")
