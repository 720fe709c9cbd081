"""YAML, JSON and archives of arrays that are damaged, hostile or of another kind."""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from dasha_ros.files.arrays import read_arrays
from dasha_ros.files.documents import read_json, read_yaml
from dasha_ros.files.errors import FileError

BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a: [", r"is not YAML: .*line 1, column 5"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        (b"a: \x00", "not text"),
        (b"\x89PNG\r\n\x1a\n\xff", "is a PNG picture, not a text"),
        (b"<html><body/></html>", "is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid 1", "git lfs pull"),
        (b"!!python/object/apply:os.system ['true']", "is not YAML"),
        (b"!!int ''", "is not YAML"),
        (b"!!timestamp x", "is not YAML"),
        (b"d: 2001-99-99", "is not YAML"),
        (b"[" * 100_000, "nested deeper"),
        (b"a: " + b"[" * 90 + b"]" * 90, "nested deeper than 64"),
        (BOMB.encode(), "more than 200000 values"),
        (b"a: &a [*a]", "contains itself"),
        (b"a: 1\nb: {c: 1,\n d: 2, c: 3}", r"is not YAML: the key 'c' is there twice \(line 3, column 8\)"),
        (b"a: 1\n'a': 2", r"the key 'a' is there twice"),
        (b"{1: a, 0x1: b}", r"the key '0x1' is there twice"),
        (b"{true: a, True: b}", r"the key 'True' is there twice"),
        (b"a: 1\n" * 300_000, "has 2 MB; at most 1 MB"),
    ],
)  # fmt: skip
def test_invalid_yaml_is_explained(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "odd.yaml"
    path.write_bytes(content)
    with pytest.raises(FileError, match=says) as caught:
        read_yaml(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_plain_yaml_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfa: &x [1, 2.5, true]\nb: *x\n")
    assert read_yaml(tmp_path / "a.yaml") == {"a": [1, 2.5, True], "b": [1, 2.5, True]}
    (tmp_path / "a.yaml").write_text("a: &a {b: 1, c: 2}\nd: {<<: *a, c: 3}\n1: x\n'1': y\n")
    assert read_yaml(tmp_path / "a.yaml") == {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}, 1: "x", "1": "y"}
    (tmp_path / "a.yaml").write_text("")
    assert read_yaml(tmp_path / "a.yaml") is None


@pytest.mark.parametrize(
    ("content", "says"), [(b"{", "is not JSON"), (b"[" * 200_000, "nested too deep"), (b"", "is not JSON")]
)
def test_invalid_json_is_explained(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "odd.json").write_bytes(content)
    with pytest.raises(FileError, match=rf"odd\.json: .*{says}"):
        read_json(tmp_path / "odd.json")
    (tmp_path / "odd.json").write_text(json.dumps({"a": [1]}))
    assert read_json(tmp_path / "odd.json") == {"a": [1]}


class Hostile:
    """Kills the process that unpickles it."""

    def __reduce__(self):
        import os

        return os._exit, (77,)


def test_no_pickle_is_ever_loaded(tmp_path: Path) -> None:
    np.savez(tmp_path / "objects.npz", a=np.array([Hostile()], object))
    with pytest.raises(FileError, match=r"objects\.npz: holds Python objects \(a pickle\)"):
        read_arrays(tmp_path / "objects.npz")
    (tmp_path / "pickle.npz").write_bytes(pickle.dumps({"a": Hostile()}))
    with pytest.raises(FileError, match=r"pickle\.npz: is a Python pickle, not an archive"):
        read_arrays(tmp_path / "pickle.npz")


def test_invalid_archives_are_explained(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "bomb.npz", a=np.zeros(20_000_000, np.uint8))
    assert (tmp_path / "bomb.npz").stat().st_size < 100_000
    with pytest.raises(FileError, match=r"bomb\.npz: unpacks to 20 MB; at most 10 MB"):
        read_arrays(tmp_path / "bomb.npz", 10_000_000)
    np.save(tmp_path / "one.npy", np.ones(3))
    (tmp_path / "one.npy").rename(tmp_path / "one.npz")
    with pytest.raises(FileError, match=r"single NumPy array \(\.npy\), not an archive"):
        read_arrays(tmp_path / "one.npz")
    with zipfile.ZipFile(tmp_path / "text.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(FileError, match="is not an array"):
        read_arrays(tmp_path / "text.npz")
    with zipfile.ZipFile(tmp_path / "lies.npz", "w") as archive:
        header = (
            b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000,), }"
        )
        archive.writestr("a.npy", header.ljust(128) + bytes(8))
    with pytest.raises(FileError, match=r"lies\.npz"):
        read_arrays(tmp_path / "lies.npz")
    np.savez(tmp_path / "torn.npz", a=np.arange(1000))
    content = (tmp_path / "torn.npz").read_bytes()
    (tmp_path / "torn.npz").write_bytes(content[:500])
    with pytest.raises(FileError, match=r"torn\.npz: is cut short"):
        read_arrays(tmp_path / "torn.npz")


def test_arrays_are_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", b=np.arange(3), a=np.array("text"))
    assert list(read_arrays(tmp_path / "a.npz")) == ["b", "a"]
