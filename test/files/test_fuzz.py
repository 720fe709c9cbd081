"""Every reader answers every kind of damage with its own error: one line that names the file."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from dasha_ros.files.arrays import read_arrays
from dasha_ros.files.documents import read_json, read_yaml
from dasha_ros.files.errors import FileError
from dasha_ros.files.pictures import read_picture, read_values
from dasha_ros.perception.errors import ModelError
from dasha_ros.perception.models.files import facts_of
from dasha_ros.policies.learned.policy_file import PolicyFile, PolicyFileError, shipped_policy

Door = tuple[Callable[[Path], Any], type[Exception]]


def picture(kind: str) -> bytes:
    blocks = np.random.default_rng(2).integers(0, 256, (6, 8, 3), np.uint8)
    image = Image.fromarray(np.kron(blocks, np.ones((4, 4, 1), np.uint8)))
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    image.save(stream, kind, **({"exif": exif} if kind not in {"GIF", "BMP"} else {}))
    return stream.getvalue()


def archive() -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, a=np.arange(50.0), b=np.array("text"))
    return stream.getvalue()


VALID: dict[str, tuple[str, bytes, Door]] = {
    **{kind: (f"x.{kind.lower()}", picture(kind), (read_picture, FileError))
       for kind in ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP")},
    "values": ("x.png", picture("PNG"), (read_values, FileError)),
    "npz": ("x.npz", archive(), (read_arrays, FileError)),
    "yaml": ("x.yaml", b"a: [1, 2]\nb: &x {c: text, d: !!int 3}\ne: *x\nf: 2001-01-01\n",
             (read_yaml, FileError)),
    "json": ("x.json", json.dumps({"a": [1, 2.5, "x"], "b": None}).encode(), (read_json, FileError)),
    "policy": ("x.npz", shipped_policy("plus", "exposure").read_bytes(),
               (lambda path: PolicyFile.load(path, "exposure"), PolicyFileError)),
    "pt": ("x.pt", archive(), (facts_of, ModelError)),
    "pickle": ("x.pt", b"\x80\x02cultralytics.nn.tasks\nDetectionModel\nq\0.", (facts_of, ModelError)),
}  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, valid: bytes) -> bytes:
    how = draw(st.sampled_from(["random", "cut", "flip", "splice"]))
    if how == "random":
        return draw(st.binary(max_size=200))
    content = bytearray(valid)
    if how == "cut":
        return bytes(content[: draw(st.integers(0, len(content)))])
    for _ in range(draw(st.integers(1, 8))):
        place = draw(st.integers(0, len(content) - 1))
        if how == "flip":
            content[place] ^= 1 << draw(st.integers(0, 7))
        else:
            content[place:place] = draw(st.binary(max_size=16))
    return bytes(content)


@pytest.mark.parametrize("name", VALID)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_raise_only_their_readers_error(
    name: str, tmp_path: Path, capfd, data: st.DataObject
) -> None:
    file, valid, (door, error) = VALID[name]
    path = tmp_path / file
    path.write_bytes(data.draw(damaged(valid)))
    said = f"{path}"
    try:
        door(path)
    except error as caught:
        said = str(caught)
    assert str(path) in said
    assert "\n" not in said
    assert capfd.readouterr().err == "", "no library speaks to the user by itself"
