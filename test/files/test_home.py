"""Paths that begin with ``~``: expanded in one place, and refused where there is no such home."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from dasha_ros.assets import fetch
from dasha_ros.assets.catalogue import AssetMissing, asset
from dasha_ros.benchmark.methods import focus_methods
from dasha_ros.benchmark.studies.model import load_study
from dasha_ros.bringup.one_stack import with_one_recording
from dasha_ros.cli import app
from dasha_ros.config import CameraDriverConfig, LensDriverConfig
from dasha_ros.devices.lag.latency import latency_of
from dasha_ros.devices.stack.description import load_stack
from dasha_ros.files.errors import FileError
from dasha_ros.files.naming import expanded
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.places import found_cache
from dasha_ros.learning.dataset.scenes import folder_scene_set, load_scene_set
from dasha_ros.learning.training.presets import load_preset
from dasha_ros.optics.profiles import lens_model
from dasha_ros.perception.models.session import model_path
from dasha_ros.perception.models.weights import check_onnx, check_torch, check_ultralytics
from dasha_ros.policies.registry import check_focus_policy
from dasha_ros.recording.reader import Recording
from dasha_ros.system.folders import user_folder
from dasha_ros.twin.scene import load_scene

PACKAGE = Path(__file__).resolve().parents[2] / "dasha_ros"
NOBODY = "~no-such-user/a"
WAYS: dict[str, Callable[[str], object]] = {
    "scene": lambda path: load_scene(f"{path}.yaml"),
    "scene set": lambda path: load_scene_set(f"{path}.yaml"),
    "folder of photographs": folder_scene_set,  # type: ignore[dict-item]
    "preset": lambda path: load_preset(f"{path}.yaml"),
    "study": lambda path: load_study(f"{path}.yaml"),
    "policy": lambda path: check_focus_policy(f"{path}.npz"),
    "method": lambda path: focus_methods(f"{path}.npz"),
    "stack": load_stack,
    "recording": Recording,
    "recording of a rig": lambda path: with_one_recording(
        {"camera_driver": CameraDriverConfig(), "lens_driver": LensDriverConfig()},
        {"camera_driver.recording": path},
    ),
    "cache": PerceptCache.open,
    "found cache": found_cache,
    "lag": lambda path: latency_of("model", path),
    "onnx": check_onnx,
    "torch": check_torch,
    "ultralytics": check_ultralytics,
    "session": lambda path: model_path(path, ""),
}


def test_the_home_folder_is_put_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert expanded("~/a") == Path("/home/me/a")
    assert expanded("a/~") == Path("a/~")


def test_a_home_that_is_not_there_is_refused_with_what_to_do() -> None:
    with pytest.raises(FileError, match=r"^~no-such-user/a: there is no user 'no-such-user' for its"):
        expanded(NOBODY)
    with pytest.raises(OSError, match=r"for its ~no-such-user: give the whole path$"):
        expanded(NOBODY, OSError)


def test_a_file_of_such_a_name_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("~no-such-user").touch()
    assert expanded("~no-such-user") == Path("~no-such-user")


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_name_a_file_refuses_it_in_its_own_words(way: str) -> None:
    with pytest.raises(Exception, match="there is no user 'no-such-user'") as caught:
        WAYS[way](NOBODY)
    assert type(caught.value).__module__.startswith("dasha_ros.")


def test_a_folder_of_assets_that_is_not_there_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DASHA_ASSETS", NOBODY)
    with pytest.raises(AssetMissing, match=r"^DASHA_ASSETS: ~no-such-user/a: there is no user"):
        asset("photos/bus.jpg")
    assert fetch.main(["--check"]) == 2
    assert "DASHA_ASSETS" in capsys.readouterr().err
    done = CliRunner().invoke(app, ["assets", "where"])
    assert (done.exit_code, "DASHA_ASSETS" in done.stderr) == (2, True)


def test_a_folder_to_write_to_has_a_replacement(capsys: pytest.CaptureFixture[str]) -> None:
    assert user_folder(f"{NOBODY}/reports").parts[-2:] == ("a", "reports")
    assert f"can't use {NOBODY}" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["~tmp.jpg", "~root.jpg", "~/tmp.jpg", "~root/a.jpg"])
def test_a_listed_name_is_no_home(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    assert cv2.imwrite(str(tmp_path / name), np.zeros((8, 8), np.uint8))
    found = folder_scene_set(tmp_path)
    assert found.planes is not None
    here, absent = found.pictures(found.planes.photographs)
    assert (here, absent) == ([str(tmp_path / name)], [])


def test_a_lens_profile_is_found_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ValueError, match=f"profile '{tmp_path}/slow.yaml' is neither"):
        lens_model("~/slow.yaml")
    with pytest.raises(ValueError, match="there is no user 'no-such-user'"):
        lens_model(NOBODY)


def test_no_other_module_looks_for_homes() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "expanduser"
    }
    # The folders of the system lie below `files`, and have temporary folders in place of homes.
    assert found == {"files/naming.py", "system/folders.py"}, "use dasha_ros.files.naming.expanded"
