"""``scripts/test-webcam``: the files of its guest, and the whole of it where its packages are there."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import lzma
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "scripts" / "test-webcam"
MISSING = 77


@pytest.fixture(scope="module")
def script() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("test_webcam_script", str(SCRIPT))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def unpacked(content: bytes) -> dict[str, tuple[int, bytes]]:
    """A cpio archive by the description of the format, not by the code that wrote it."""
    files = {}
    at = 0
    while True:
        assert content[at : at + 6] == b"070701"
        fields = [int(content[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in range(13)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name = content[at + 110 : at + 110 + name_size - 1].decode()
        at = (at + 110 + name_size + 3) // 4 * 4
        if name == "TRAILER!!!":
            return files
        files[name] = (mode, content[at : at + size])
        at = (at + size + 3) // 4 * 4


def test_the_first_file_system_is_a_cpio_archive(script: ModuleType) -> None:
    files = {"bin": (0o040755, b""), "a": (0o100644, b"x"), "bin/abc": (0o100755, b"12345678")}
    assert unpacked(script.archive(files)) == files


def fake_modules(folder: Path, needs: dict[str, str]) -> None:
    for name, others in needs.items():
        content = b"\x7fELF\0license=GPL\0depends=" + others.encode() + b"\0name=x\0"
        packed = name.endswith(".xz")
        (folder / name).write_bytes(lzma.compress(content) if packed else content)


def test_modules_come_after_those_that_they_need(script: ModuleType, tmp_path: Path) -> None:
    fake_modules(
        tmp_path,
        {
            "uvcvideo.ko": "videodev,usb-core,mc",
            "videodev.ko.xz": "mc",
            "mc.ko": "",
            "usb-core.ko": "",
            "vhci-hcd.ko": "usb_core,usbip-core",
            "usbip-core.ko": "usb-core",
            "unneeded.ko": "",
        },
    )
    names = [path.name.partition(".")[0] for path in script.in_order(tmp_path)]
    assert set(names) == {"uvcvideo", "videodev", "mc", "usb-core", "vhci-hcd", "usbip-core"}
    for name, needed in (("uvcvideo", "videodev"), ("videodev", "mc"), ("usbip-core", "usb-core")):
        assert names.index(needed) < names.index(name)
    assert all(b"depends=" in script.module(path) for path in script.in_order(tmp_path))


def test_what_is_missing_is_named(script: ModuleType, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(script.shutil, "which", lambda name: None)
    monkeypatch.setattr(script, "kernel_will_do", lambda: False)
    monkeypatch.setattr(sys, "argv", ["test-webcam"])
    assert script.main() == MISSING
    assert capsys.readouterr().out == "not run: the guest needs: apt install qemu-system-x86 busybox-static\n"


def test_a_guest_that_breaks_off_is_a_failure(script: ModuleType, capsys) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as watchdog:
        assert script.follow(iter(["booting\r\n", "panic\r\n"]), watchdog) == 1
        assert "panic\nerror: the guest ended before" in capsys.readouterr().out
        lines = [script.BEGIN, "2 failed", script.END + "1"]
        assert script.follow(iter(lines), watchdog) == 1
        assert capsys.readouterr().out == "2 failed\n"
        assert script.follow(iter([script.BEGIN, script.END + "0"]), watchdog) == 0


@pytest.mark.slow
def test_the_back_end_keeps_its_promises_through_the_kernels_driver() -> None:
    run = subprocess.run([str(SCRIPT)], capture_output=True, text=True, check=False, timeout=1290)
    last = run.stdout.strip().splitlines()[-1:]
    if run.returncode == MISSING:
        pytest.skip(last[0])
    assert run.returncode == 0, run.stdout + run.stderr
    assert " passed" in last[0]
