from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys

import pytest

from dasha_ros.assets import models
from dasha_ros.assets.convert import convert, convert_all
from dasha_ros.perception.errors import ModelError

CONVERTED = (
    models.YOLOV3_TINY,
    models.EFFICIENTNET_LITE0,
    models.EFFICIENTNET_LITE0_EARLY,
    models.EFFICIENTNET_LITE0_GRID,
    models.BRISQUE,
)


@pytest.fixture
def raw(tmp_path, fetched):
    """A folder with the raw files of the base set only."""
    (tmp_path / "models").mkdir()
    optional = {
        name for name in convert.RAW_SHA256 if name.startswith(("models/nanodet", "models/centernet"))
    }
    for name in convert.RAW_SHA256.keys() - optional:
        (tmp_path / name).symlink_to(fetched(name))
    return tmp_path


def digests(folder):
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in CONVERTED}


def test_everything_is_converted_once_and_repaired_when_damaged(raw):
    lines: list[str] = []
    assert convert_all(raw, lines.append) == [raw / name for name in CONVERTED]
    assert lines == [f"converting: {name}" for name in CONVERTED]
    first = digests(raw)
    lines.clear()
    convert_all(raw, lines.append)
    assert lines == [f"up to date: {name}" for name in CONVERTED]
    (raw / models.YOLOV3_TINY).write_bytes(b"cut short")
    (raw / models.BRISQUE).unlink()
    lines.clear()
    convert_all(raw, lines.append)
    assert sorted(lines) == sorted(
        [
            f"converting: {models.YOLOV3_TINY}",
            f"converting: {models.BRISQUE}",
            f"up to date: {models.EFFICIENTNET_LITE0}",
            f"up to date: {models.EFFICIENTNET_LITE0_EARLY}",
            f"up to date: {models.EFFICIENTNET_LITE0_GRID}",
        ]
    )
    for name in CONVERTED[:4]:
        assert digests(raw)[name] == first[name]
    assert {p.name for p in (raw / "models").iterdir() if p.name.startswith(".")} == set()


def test_an_optional_model_is_converted_where_its_files_were_fetched(one_recipe, monkeypatch):
    recipe = convert._RECIPES["models/result.bin"]
    extra = convert._Recipe(("models/extra.txt",), lambda raw: raw["models/extra.txt"], optional=True)
    monkeypatch.setattr(convert, "_RECIPES", {"models/result.bin": recipe, "models/extra.bin": extra})
    digest = hashlib.sha256(b"more").hexdigest()
    monkeypatch.setattr(convert, "RAW_SHA256", {**convert.RAW_SHA256, "models/extra.txt": digest})
    assert convert_all(one_recipe) == [one_recipe / "models/result.bin"]
    (one_recipe / "models/extra.txt").write_bytes(b"more")
    assert convert_all(one_recipe)[1].read_bytes() == b"more"


def test_a_damaged_record_converts_again(raw):
    convert_all(raw)
    (raw / "models/converted.json").write_text("[1, 2")
    lines: list[str] = []
    convert_all(raw, lines.append)
    assert all(line.startswith("converting") for line in lines)


@pytest.fixture
def one_recipe(tmp_path, monkeypatch):
    """A folder and a converter of one small file, so that failures can be provoked without the models."""
    (tmp_path / "models").mkdir()
    source = tmp_path / "models/source.txt"
    source.write_bytes(b"good")
    recipe = convert._Recipe(("models/source.txt",), lambda raw: raw["models/source.txt"].upper())
    monkeypatch.setattr(convert, "_RECIPES", {"models/result.bin": recipe})
    digest = hashlib.sha256(b"good").hexdigest()
    monkeypatch.setattr(convert, "RAW_SHA256", {"models/source.txt": digest})
    return tmp_path


def test_missing_source_is_named(one_recipe):
    (one_recipe / "models/source.txt").unlink()
    with pytest.raises(ModelError, match=r"source\.txt \(No such file or directory\); fetch the models"):
        convert_all(one_recipe)


def test_other_source_is_refused_with_both_hashes(one_recipe):
    (one_recipe / "models/source.txt").write_bytes(b"evil")
    found, expected = (hashlib.sha256(content).hexdigest() for content in (b"evil", b"good"))
    with pytest.raises(ModelError, match=f"sha256 is {found}, expected {expected}"):
        convert_all(one_recipe)
    assert not (one_recipe / "models/result.bin").exists()


def test_a_full_disk_leaves_the_old_file_whole(one_recipe, monkeypatch):
    convert_all(one_recipe)
    (one_recipe / "models/converted.json").unlink()

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(ModelError, match=r"disk .* is full"):
        convert_all(one_recipe)
    assert (one_recipe / "models/result.bin").read_bytes() == b"GOOD"
    assert sorted(p.name for p in (one_recipe / "models").iterdir()) == ["result.bin", "source.txt"]


def test_a_newer_converter_converts_again(one_recipe, monkeypatch):
    convert_all(one_recipe)
    lines: list[str] = []
    monkeypatch.setattr(convert, "_VERSION", convert._VERSION + 1)
    convert_all(one_recipe, lines.append)
    assert lines == ["converting: models/result.bin"]


def test_record_names_source_and_result(one_recipe):
    convert_all(one_recipe)
    record = json.loads((one_recipe / "models/converted.json").read_text())["models/result.bin"]
    assert hashlib.sha256(b"good").hexdigest() in record["from"]
    assert record["sha256"] == hashlib.sha256(b"GOOD").hexdigest()


def test_command_line_explains_and_fails(tmp_path):
    command = [sys.executable, "-m", "dasha_ros.assets.convert", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: Cannot read")
    assert "Traceback" not in done.stderr
    shutil.rmtree(tmp_path)
