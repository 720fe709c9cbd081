"""The page of failed episodes on focal stacks: recorded frames, with the object's true box."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.trials.page import Failure, Shown, write_page
from dasha_ros.devices.stack.description import Stack
from dasha_ros.devices.stack.lens import UNIT
from dasha_ros.files.pictures import read_picture

_BOX_BGR = (80, 220, 80)


def write_stack_page(folder: Path, stacks: Sequence[Stack], rows: Sequence[Row]) -> Path:
    """Write the page of the failed ones among some episodes; see `write_page`.

    Args:
        folder: Where to.
        stacks: The stacks that the rows name.
        rows: Rows of `stacks.play_stacks`.

    Raises:
        PageError: The folder can't be written.
        FileError: A frame can't be read any more.
    """
    known = {stack.name: stack for stack in stacks}
    tones = ", ".join(dict.fromkeys(str(row["tone"]) for row in rows))
    return write_page(
        folder,
        f"Focal stacks, response curve {tones}: failed episodes",
        rows,
        lambda row: _failure(known[row["stack"]], row),
    )


def _failure(stack: Stack, row: Row) -> Failure:
    number = row["object_number"]
    start, end = row["trajectory"][0], row["trajectory"][-1]
    first_px, last_px = row["trajectory_px"][0], row["trajectory_px"][-1]
    return Failure(
        row,
        _shown(stack, number, start, f"start: frame {round(start)}, {first_px:.1f} px of blur"),
        _shown(stack, number, end, f"end: frame {round(end)}, {last_px:.1f} px of blur"),
        _shown(stack, number, stack.objects[number].sharpest_frame, "where the object is sharpest"),
        UNIT,
    )


def _shown(stack: Stack, number: int, position: float, caption: str) -> Shown:
    frame = min(max(round(position), 0), len(stack.files) - 1)
    return Shown(caption, f"{stack.name}/{number}/{frame}", lambda: _picture(stack, number, frame))


def _picture(stack: Stack, number: int, frame: int) -> NDArray[np.uint8]:
    picture = np.ascontiguousarray(read_picture(stack.files[frame]).rgb[:, :, ::-1])
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = stack.objects[number].box
    corners = (round(x0 * width), round(y0 * height)), (round(x1 * width), round(y1 * height))
    cv2.rectangle(picture, *corners, _BOX_BGR, 2)
    return picture
