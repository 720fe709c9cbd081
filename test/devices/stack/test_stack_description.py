"""Folders that are focal stacks, and folders that are not: one sentence each."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from stack_maker import CUP, squares_stack, write_description, write_frames

from dasha_ros.devices.stack.description import StackError, load_stack


def test_frames_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    stack = load_stack(squares_stack(tmp_path / "s", frames=11))
    assert [path.name for path in stack.files] == [f"frame{number}.png" for number in range(1, 12)]
    assert (stack.name, stack.size, stack.blur_px_per_frame) == ("s", (64, 48), 0.5)
    (cup,) = stack.objects
    assert (cup.label, cup.sharpest_frame, cup.in_focus) == ("cup", 1.0, (0.0, 2.0))


@pytest.mark.parametrize("names", [("a_00.png", "a_03.png", "a_06.png"), ("7.png", "8.png", "9.png")])
def test_numbers_may_begin_anywhere_and_be_evenly_spaced(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        cv2.imwrite(str(tmp_path / name), np.zeros((48, 64), np.uint8))
    assert [path.name for path in load_stack(write_description(tmp_path)).files] == list(names)


@pytest.mark.parametrize(("sharpest", "in_focus"), [(2, [1, 4]), (0, [-1.5, 1])])
def test_an_object_may_stay_in_focus_beyond_the_stack(
    tmp_path: Path, sharpest: int, in_focus: list[float]
) -> None:
    thing = {**CUP, "sharpest_frame": sharpest, "in_focus": in_focus}
    document = {"blur_px_per_frame": 1, "objects": [thing]}
    (squares_stack(tmp_path / "s") / "stack.yaml").write_text(yaml.safe_dump(document))
    assert load_stack(tmp_path / "s").objects[0].in_focus == tuple(in_focus)


def test_the_digest_is_that_of_the_content(tmp_path: Path) -> None:
    first = load_stack(squares_stack(tmp_path / "a"))
    before = first.digest()
    assert load_stack(squares_stack(tmp_path / "b")).digest() == before
    write_description(tmp_path / "b", blur_px_per_frame=0.6, objects=[CUP])
    assert load_stack(tmp_path / "b").digest() != before
    cv2.imwrite(str(first.files[1]), np.zeros((48, 64), np.uint8))
    assert load_stack(tmp_path / "a").digest() != before


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"frames": 4, "blur_px_per_frame": 0.5}, "says 4 frames, and the folder holds 3"),
        ({"blur_px_per_frame": 0}, "blur_px_per_frame = 0: Input should be greater than 0"),
        ({"blur_px_per_frame": float("nan")}, "blur_px_per_frame = nan"),
        ({"blur": 0.5}, "blur = 0.5: there is no such key; the keys are frames, blur_px_per_frame, objects"),
        ({"blur_px_per_frame": 1, "objects": 3}, "objects = 3: Input should be a list"),
        ({"objects": [CUP]}, "blur_px_per_frame is missing"),
        ({"blur_px_per_frame": 1, "objects": [{**CUP, "sharpest_frame": 3, "in_focus": [0, 3]}]},
         "objects.0.sharpest_frame is 3, and the last frame is 2"),
        ({"blur_px_per_frame": 1, "objects": [{**CUP, "in_focus": [2, 0]}]}, "in_focus 2 to 0 must ascend"),
        ({"blur_px_per_frame": 1, "objects": [{**CUP, "sharpest_frame": 2, "in_focus": [0, 1]}]},
         "in_focus 0 to 1 must ascend and hold sharpest_frame 2"),
        ({"blur_px_per_frame": 1, "objects": [{**CUP, "box": [0.5, 0.2, 0.1, 0.6]}]}, "with x0 < x1"),
        ({"blur_px_per_frame": 1, "objects": [{**CUP, "box": [0.1, 0.2, 1.5, 0.6]}]}, "objects.0.box.2 ="),
        ({"blur_px_per_frame": 1, "objects": [{"label": "cup"}]}, "objects.0.sharpest_frame: Field required"),
        ({"blur_px_per_frame": 1, 5: 2}, "stack.yaml"),
    ],
)  # fmt: skip
def test_a_wrong_description_is_refused(tmp_path: Path, document: dict, sentence: str) -> None:
    (squares_stack(tmp_path / "s") / "stack.yaml").write_text(yaml.safe_dump(document))
    with pytest.raises(StackError, match=r"focal stack .*/s: ") as caught:
        load_stack(tmp_path / "s")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("- 1\n", "must hold the keys"), ("a: [\n", "is not YAML"), ("\x00", "is not text")],
)
def test_a_description_that_is_none_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (squares_stack(tmp_path) / "stack.yaml").write_text(text)
    with pytest.raises(StackError, match=sentence):
        load_stack(tmp_path)


def test_folders_that_are_no_stack_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="no such folder"):
        load_stack(tmp_path / "nowhere")
    with pytest.raises(StackError, match=r"holds no stack.yaml"):
        load_stack(tmp_path)
    write_description(tmp_path)
    with pytest.raises(StackError, match="it is a file"):
        load_stack(tmp_path / "stack.yaml")
    with pytest.raises(StackError, match="holds no picture; a stack needs at least two"):
        load_stack(tmp_path)
    with pytest.raises(StackError, match="focal stack ~nobody_at_all"):
        load_stack("~nobody_at_all/stack")


def test_a_link_to_itself_is_no_stack(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for folder in (tmp_path / "loop", tmp_path / "loop" / "stack"):
        with pytest.raises(StackError, match=r"focal stack .*loop.*: (a link in its path|there is no such)"):
            load_stack(folder)


@pytest.mark.parametrize("call", ["exists", "iterdir", "is_dir", "resolve"])
def test_a_folder_that_may_not_be_entered_is_no_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    squares_stack(tmp_path / "open")
    squares_stack(tmp_path / "locked")
    real = getattr(Path, call)

    def refuse(path: Path, *given: object, **named: object) -> object:
        if "locked" in str(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path, *given, **named)

    monkeypatch.setattr(Path, call, refuse)
    with pytest.raises(StackError, match=r"focal stack .*locked: it can't be read: Permission denied"):
        load_stack(tmp_path / "locked")


def black(path: Path, size: tuple[int, int] = (64, 48)) -> None:
    assert cv2.imwrite(str(path), np.zeros(size[::-1], np.uint8))


def test_one_frame_is_no_stack(tmp_path: Path) -> None:
    write_description(write_frames(tmp_path, [np.zeros((48, 64), np.uint8)]))
    with pytest.raises(StackError, match="holds 1 frame; a stack needs at least two"):
        load_stack(tmp_path)


def test_frames_out_of_order_are_refused(tmp_path: Path) -> None:
    squares_stack(tmp_path)
    black(tmp_path / "frame01.png")
    with pytest.raises(StackError, match=r"frame01.png and frame1.png have the same number"):
        load_stack(tmp_path)
    (tmp_path / "frame01.png").rename(tmp_path / "last.png")
    with pytest.raises(StackError, match=r"the name of last.png holds no number"):
        load_stack(tmp_path)
    (tmp_path / "last.png").rename(tmp_path / "frame5.png")
    with pytest.raises(StackError, match=r"a frame is missing between frame3.png and frame5.png"):
        load_stack(tmp_path)
    (tmp_path / "frame5.png").rename(tmp_path / "take2_4.png")
    with pytest.raises(StackError, match=r"named in different ways, as frame1.png and take2_4.png"):
        load_stack(tmp_path)


def test_frames_of_mixed_sizes_are_refused(tmp_path: Path) -> None:
    squares_stack(tmp_path)
    black(tmp_path / "frame2.png", (32, 48))
    with pytest.raises(StackError, match=r"frame2.png has 32 x 48 pixels and frame1.png 64 x 48"):
        load_stack(tmp_path)


def test_a_frame_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    squares_stack(tmp_path)
    (tmp_path / "frame2.png").write_text("not a picture")
    with pytest.raises(StackError, match=r"frame frame2.png is something else, not a picture"):
        load_stack(tmp_path)
