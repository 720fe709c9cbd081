"""./scripts/setup --system: what it installs, what it says, and that what is there already costs nothing."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "setup"
LEFT_OUT = {"qemu-system-x86", "busybox-static", "linux-image-amd64"}
"""The guest's, which ``scripts/test-webcam`` names itself."""


@pytest.fixture
def setup_system(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module("setup_system")


class Debian:
    """A system whose package tools are programs of a few lines; it offers no Chromium, as Ubuntu."""

    def __init__(self, folder: Path, names: list[str]) -> None:
        self.folder, self.path = folder, folder / "bin"
        self.path.mkdir()
        (folder / "installed").write_text("")
        offered = "".join(f"echo '{name} | 1.0 | main'; " for name in names if name != "chromium")
        self.program("dpkg-query", f"cat '{folder}/installed'")
        self.program("apt-cache", offered)
        self.program(
            "apt-get", f"echo $DEBIAN_FRONTEND \"$@\" >> '{folder}/calls'; cat '{folder}/said'; exit $FAILS"
        )
        (self.path / "env").symlink_to("/usr/bin/env")
        self.program("sudo", f"echo sudo >> '{folder}/calls'; exec \"$@\"")
        (folder / "said").write_text("Unpacking x\nE: the mirror is away\n")

    def program(self, name: str, line: str) -> None:
        (self.path / name).write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{line}\n")
        (self.path / name).chmod(0o755)

    def has(self, *names: str) -> None:
        (self.folder / "installed").write_text("".join(f"{name} installed\n" for name in names))

    def calls(self) -> list[str]:
        calls = self.folder / "calls"
        return calls.read_text().splitlines() if calls.exists() else []

    def setup(self, *arguments: str, fails: int = 0) -> subprocess.CompletedProcess[str]:
        """``setup_system.py`` as the shell script calls it, as root or not."""
        environ = {"PATH": f"{self.path}", "FAILS": str(fails)}
        command = [sys.executable, ROOT / "scripts" / "setup_system.py", *arguments]
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


@pytest.fixture
def debian(tmp_path: Path, setup_system: ModuleType) -> Debian:
    return Debian(tmp_path, [*setup_system.PACKAGES])


def asked(call: str) -> list[str]:
    """The words of a call of apt-get without its options."""
    return re.sub(r"-o \S+ ", "", call).split()


def test_what_is_missing_is_named_with_the_reason_and_installed(
    debian: Debian, setup_system: ModuleType
) -> None:
    debian.has("python3-gi", "indi-bin")
    done = debian.setup("--system")
    assert done.returncode == 0, done.stderr
    update, install = [asked(call) for call in debian.calls() if call != "sudo"]
    assert update == ["noninteractive", "update"]
    rest = ["aravis-tools", "gir1.2-aravis-0.8"]
    assert install == ["noninteractive", "install", "--yes", "--no-install-recommends", *rest]
    before, _, after = done.stderr.partition("==> installing packages of the system:\n")
    assert (
        f"does not offer (tests will skip):\n      chromium           {setup_system.PACKAGES['chromium']}"
        in before
    )
    assert all(f"{name:18} {setup_system.PACKAGES[name]}" in after for name in rest)
    assert ("sudo" in debian.calls()) == (os.geteuid() != 0)


def test_where_all_is_there_nothing_is_asked_of_the_network(debian: Debian, setup_system: ModuleType) -> None:
    debian.has(*setup_system.PACKAGES)
    done = debian.setup("--system", fails=1)
    assert (done.returncode, debian.calls()) == (0, [])
    assert done.stderr.startswith("ready: the packages of the system")


def test_a_mirror_that_is_away_is_told_with_what_it_means(debian: Debian) -> None:
    done = debian.setup("--system", fails=100)
    assert done.returncode == 1
    assert "error: apt-get update failed:\n  E: the mirror is away\nWithout these packages" in done.stderr
    assert len([call for call in debian.calls() if call != "sudo"]) == 1


def test_without_apt_get_a_sentence_names_the_packages(tmp_path: Path, setup_system: ModuleType) -> None:
    command = [sys.executable, ROOT / "scripts" / "setup_system.py", "--system"]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "error: --system needs apt-get, which Debian and Ubuntu have." in done.stderr
    assert all(name in done.stderr for name in setup_system.PACKAGES)


def test_only_root_and_sudo_may_install(setup_system: ModuleType, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(setup_system.os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(setup_system.SetupError, match="only root may do, and there is no sudo"):
        setup_system.as_root()
    (tmp_path / "sudo").write_text("#!/bin/sh\n")
    (tmp_path / "sudo").chmod(0o755)
    assert setup_system.as_root() == ["sudo"]


@pytest.mark.parametrize("arguments", [("--system", "--dev"), ("--dev", "--system")])
def test_it_goes_alone(arguments: tuple[str, ...]) -> None:
    done = subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "--system goes alone" in done.stderr


def test_the_list_has_every_package_that_a_test_asks_for(setup_system: ModuleType) -> None:
    from dasha_ros.devices.aravis.library import HOW_TO_INSTALL

    asks = re.compile(r"skip\([^\n]*apt install ((?:[a-z0-9.+-]+ ?)+)")
    sources = [path.read_text() for path in (ROOT / "test").rglob("*.py") if path != Path(__file__)]
    named = {name for text in sources for found in asks.findall(text) for name in found.split()}
    assert {"indi-bin", "chromium", "aravis-tools"} <= named
    named |= set(HOW_TO_INSTALL.removeprefix("sudo apt install ").split())
    assert named - LEFT_OUT == set(setup_system.PACKAGES)


@pytest.mark.parametrize("fails", [0, 1])
def test_ci_installs_them_and_goes_on_without(tmp_path: Path, fails: int) -> None:
    for name in (".ci", "scripts"):
        (tmp_path / name).mkdir()
    ci = shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    for name, line in (("setup", f"exit {fails}"), ("test", "exit 7")):
        (tmp_path / "scripts" / name).write_text(f'#!/bin/sh\necho {name} "$@"\n{line}\n')
        (tmp_path / "scripts" / name).chmod(0o755)
    done = subprocess.run([ci], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (7, "setup --system\ntest\n")
    assert ("some tests will skip" in done.stderr) == bool(fails)
