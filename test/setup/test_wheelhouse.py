"""./scripts/setup --wheelhouse: a folder of packages and assets, used by the real pip without a network."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FACTS = {"python": "3.11", "ros": "jazzy"}


def wheel(folder: Path, name: str) -> Path:
    """A wheel that pip accepts."""
    folder.mkdir(parents=True, exist_ok=True)
    path, info = folder / f"{name}-1.0-py3-none-any.whl", f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", "")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


class Place:
    """A registry that is a folder, lock files, and the wheelhouse that is built from them."""

    def __init__(self, module: ModuleType, root: Path) -> None:
        self.error, self.sha256 = module.SetupError, module.sha256
        self.registry, self.folder = root / "registry", root / "my wheelhouse"
        self.locks = {name: root / f"{name}.lock" for name in ("core", "torch")}
        for name, lock in self.locks.items():
            wheel(self.registry, f"{name}_tiny")
            lock.write_text(f"# pins\n{name}-tiny==1.0\n")
        self.house = module.Wheelhouse(self.folder)

    def environment(self, **more: str) -> dict[str, str]:
        links = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.registry), "PIP_CONFIG_FILE": "/dev/null"}
        return {**os.environ, **links, **more}

    def build(self, *layers: str) -> None:
        locks = {layer: self.locks[layer] for layer in layers or ("core",)}
        self.house.collect(Path(sys.executable), locks, self.environment())
        self.house.close(Path(sys.executable), locks, FACTS)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Place:
    """The photographs and models are left out here: ``test_offline`` copies them."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    module = importlib.import_module("setup_wheelhouse")
    real = subprocess.run

    def run(command: list[str], **options: Any) -> Any:
        if module.MODULE not in command:
            return real(command, **options)
        assert command[2:4] == [module.MODULE, "save"]
        photograph = Path(command[4], "photos", "a.jpg")
        photograph.parent.mkdir(parents=True, exist_ok=True)
        photograph.write_text("a photograph")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(module.subprocess, "run", run)
    return Place(module, tmp_path)


def test_pip_installs_from_the_folder_alone(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert place.house.is_new
    place.build()
    assert not place.house.is_new
    for path in place.registry.iterdir():
        path.unlink()
    place.house.check({"core": place.locks["core"]}, FACTS)
    setup_pip = importlib.import_module("setup_pip")
    target = tmp_path / "target"
    environment = {**os.environ, "PIP_TARGET": str(target), **place.house.variables()}
    setup_pip.install(Path(sys.executable), [place.locks["core"]], environment)
    assert (target / "core_tiny.py").is_file()
    with pytest.raises(setup_pip.SetupError, match=r"(?s)torch-tiny==1\.0.*build that folder again"):
        setup_pip.install(Path(sys.executable), [place.locks["torch"]], environment)


def test_a_layer_is_added_later_and_what_is_there_is_kept(place: Place) -> None:
    place.build()
    with pytest.raises(place.error, match=r"lacks the packages of --torch.*--wheelhouse-build --torch"):
        place.house.check(place.locks, FACTS)
    (place.registry / "core_tiny-1.0-py3-none-any.whl").unlink()
    place.build("core", "torch")
    place.house.check(place.locks, FACTS)


def test_what_was_changed_is_not_installed(place: Place) -> None:
    place.build()
    locks = {"core": place.locks["core"]}
    path = place.folder / "wheels" / "core_tiny-1.0-py3-none-any.whl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"x")
    with pytest.raises(place.error, match=r"core_tiny-1\.0.*SHA-256 differs.*do not install it"):
        place.house.check(locks, FACTS)
    path.unlink()
    with pytest.raises(place.error, match=r"lacks .*core_tiny-1\.0.*copy it again"):
        place.house.check(locks, FACTS)
    path.write_bytes(whole)
    wheel(place.folder / "wheels", "core_tiny_extra")
    with pytest.raises(place.error, match=r"core_tiny_extra-1\.0.*was not there when"):
        place.house.check(locks, FACTS)


def test_what_is_for_something_else_is_refused(place: Place) -> None:
    place.build()
    locks = {"core": place.locks["core"]}
    with pytest.raises(place.error, match=r"is for python 3\.11, and this is python 3\.12"):
        place.house.check(locks, {**FACTS, "python": "3.12"})
    with pytest.raises(place.error, match="is for ros jazzy, and this is ros kilted"):
        place.house.check(locks, {**FACTS, "ros": "kilted"})
    place.locks["core"].write_text("core-tiny==2.0\n")
    with pytest.raises(place.error, match=r"another version of core\.lock"):
        place.house.check(locks, FACTS)


def test_a_folder_of_other_things_is_neither_filled_nor_used(place: Place) -> None:
    place.folder.mkdir()
    (place.folder / "letter.txt").write_text("dear")
    with pytest.raises(place.error, match="holds other files"):
        place.build()
    with pytest.raises(place.error, match=r"is no wheelhouse.*--wheelhouse-build"):
        place.house.check({}, FACTS)
    assert [path.name for path in place.folder.iterdir()] == ["letter.txt"]


def test_a_file_in_place_of_the_folder_is_refused(place: Place) -> None:
    place.folder.write_text("dear")
    with pytest.raises(place.error, match=r"my wheelhouse is no folder: name one"):
        place.build()


def test_an_unfinished_folder_is_finished_by_the_same_command(place: Place) -> None:
    missing = place.registry / "torch_tiny-1.0-py3-none-any.whl"
    content = missing.read_bytes()
    missing.unlink()
    with pytest.raises(place.error, match=r"(?s)torch-tiny==1\.0.*needs a network"):
        place.build("core", "torch")
    with pytest.raises(place.error, match="is not finished"):
        place.house.check(place.locks, FACTS)
    missing.write_bytes(content)
    place.build("core", "torch")
    place.house.check(place.locks, FACTS)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is damaged"),
        ("[]", "is damaged"),
        ('{"layers": {}}', "is damaged"),
        (json.dumps({"layers": {}, "files": {"../../etc/passwd": "0"}}), r"names .*, which is outside"),
        (json.dumps({"layers": {}, "files": {"/etc/passwd": "0"}}), r"names .*, which is outside"),
    ],
)
def test_a_damaged_or_hostile_description_is_refused(place: Place, content: str, words: str) -> None:
    place.build()
    (place.folder / "wheelhouse.json").write_text(content)
    with pytest.raises(place.error, match=words):
        place.house.check({}, FACTS)


def test_the_options_belong_together() -> None:
    answer = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "setup_venv.py"), "--wheelhouse-build"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 2
    assert "--wheelhouse-build needs --wheelhouse DIR" in answer.stderr
