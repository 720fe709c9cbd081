"""``dasha doctor`` on machines that lack something."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from dasha_ros.assets.catalogue import CONVERTED, check_converted, sha256_of
from dasha_ros.devices.v4l2.discovery import WebcamFound
from dasha_ros.doctor import devices, ros, software
from dasha_ros.doctor.examination import examine
from dasha_ros.doctor.finding import Finding, Verdict

ROOT = Path(__file__).resolve().parents[2]


def only(findings: Iterator[Finding], name: str) -> Finding:
    (found,) = (finding for finding in findings if finding.name == name)
    return found


def convert_all_by_hand(folder: Path) -> list[str]:
    """Write stand-ins for the converted models, and the record of their conversion."""
    names = list(check_converted(folder))
    (folder / "models").mkdir()
    for name in names:
        (folder / name).write_bytes(b"half of it")
    record = {name: {"sha256": sha256_of(folder / name)} for name in names}
    (folder / CONVERTED).write_text(json.dumps(record))
    return names


def test_every_problem_comes_with_advice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DASHA_ASSETS", str(tmp_path / "none"))
    monkeypatch.setattr(software, "is_installed", lambda module: False)
    monkeypatch.setattr(ros, "is_installed", lambda module: False)
    problems = [finding for finding in examine({}) if finding.verdict is Verdict.PROBLEM]
    assert {finding.topic for finding in problems} >= {"ros", "assets", "packages"}
    assert all(finding.advice for finding in problems)


def test_missing_and_corrupt_files_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DASHA_ASSETS", str(tmp_path))
    assert only(software.assets(), "base").verdict is Verdict.PROBLEM
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "yolov3-tiny.weights").write_bytes(b"half")
    assert "models/yolov3-tiny.weights is corrupt" in only(software.assets(), "base").detail
    assert only(software.assets(), "training").verdict is Verdict.OPTIONAL
    assert "models/yolov3-tiny.onnx" in only(software.assets(), "converted models").detail


def test_an_optional_model_is_checked_where_its_set_was_fetched(tmp_path: Path) -> None:
    assert "models/nanodet.onnx" not in check_converted(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "nanodet.bin").write_bytes(b"raw")
    assert "models/nanodet.onnx" in check_converted(tmp_path)


def test_a_damaged_converted_model_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DASHA_ASSETS", str(tmp_path))
    names = convert_all_by_hand(tmp_path)
    assert only(software.assets(), "converted models").verdict is Verdict.OK
    (tmp_path / names[0]).write_bytes(b"hal")
    finding = only(software.assets(), "converted models")
    assert finding.verdict is Verdict.PROBLEM
    assert finding.detail == f"{names[0]} is corrupt"
    (tmp_path / "models" / "converted.json").unlink()
    assert only(software.assets(), "converted models").verdict is Verdict.PROBLEM


@pytest.mark.parametrize(
    ("text", "good"), [("", True), ("0", True), ("232", True), ("233", False), ("abc", False)]
)
def test_an_invalid_ros_domain_is_a_problem(text: str, good: bool) -> None:
    finding = only(ros.discovery({"ROS_DOMAIN_ID": text}), "ROS_DOMAIN_ID")
    assert finding.verdict is (Verdict.OK if good else Verdict.PROBLEM)
    assert good or "0 to 101 is safe" in finding.advice


@pytest.mark.parametrize(
    ("package", "too_old", "recent"),
    [("pydantic", "1.10.14", "2.0"), ("typer", "0.9.0", "0.12.5"), ("cv2", "4.6.0+dfsg", "5.0.0.93")],
)
def test_versions_of_older_distributions_are_too_old(
    monkeypatch: pytest.MonkeyPatch, package: str, too_old: str, recent: str
) -> None:
    monkeypatch.setattr(software, "is_installed", lambda module: True)
    monkeypatch.setattr(software, "installed_version", lambda *names: too_old)
    finding = only(software.packages(), package)
    assert finding.verdict is Verdict.PROBLEM
    assert f"{too_old} is too old" in finding.detail
    assert re.search(r'pip install "[a-z-]+>=\d', finding.advice)
    monkeypatch.setattr(software, "installed_version", lambda *names: recent)
    assert only(software.packages(), package).verdict is Verdict.OK


@pytest.mark.parametrize(("free_mib", "verdict"), [(63, Verdict.PROBLEM), (4096, Verdict.OK)])
def test_a_container_with_little_shared_memory(
    monkeypatch: pytest.MonkeyPatch, free_mib: int, verdict: Verdict
) -> None:
    usage = SimpleNamespace(free=free_mib << 20, total=free_mib << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    finding = only(ros.shared_memory(), "/dev/shm")
    assert finding.verdict is verdict
    assert ("--shm-size" in finding.advice) == (verdict is Verdict.PROBLEM)


@pytest.mark.parametrize("name", ["fastrtps_0a", "fastdds_0a"])
def test_what_fast_dds_left_in_shared_memory_is_counted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setattr(ros, "SHARED_MEMORY", tmp_path)
    assert [finding.name for finding in ros.shared_memory()] == [str(tmp_path)]
    (tmp_path / name).write_bytes(b"\1" * (3 << 20))
    finding = only(ros.shared_memory(), "in use")
    assert finding.detail == "files of Fast DDS: 1, 3 MiB"
    assert f"{tmp_path}/{name[:-2]}*" in finding.advice


def test_processes_may_end_while_shared_memory_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ros, "SHARED_MEMORY", tmp_path)
    over = threading.Event()

    def come_and_go() -> None:
        while not over.is_set():
            for number in range(20):
                (tmp_path / f"fastrtps_{number}").touch()
            for number in range(20):
                (tmp_path / f"fastrtps_{number}").unlink()

    others = threading.Thread(target=come_and_go)
    others.start()
    try:
        names = {finding.name for _ in range(300) for finding in ros.shared_memory()}
    finally:
        over.set()
        others.join()
    assert names == {str(tmp_path), "in use"}


def test_a_missing_profile_is_a_problem(tmp_path: Path) -> None:
    environ = {"FASTDDS_DEFAULT_PROFILES_FILE": str(tmp_path / "typo.xml")}
    finding = only(ros.ros(environ), "profile")
    assert finding.verdict is Verdict.PROBLEM
    assert "typo.xml" in finding.detail
    assert only(ros.ros({}), "profile").verdict is Verdict.OK


def test_discovery_settings_are_shown() -> None:
    found = {f.name: f for f in ros.discovery({"ROS_DOMAIN_ID": "42", "ROS_LOCALHOST_ONLY": "1"})}
    assert found["ROS_DOMAIN_ID"].detail == "42"
    assert found["ROS_LOCALHOST_ONLY"].advice


def test_a_check_that_fails_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Iterator[Finding]:
        raise OSError("disk gone")

    monkeypatch.setattr(software, "compiler", broken)
    finding = next(f for f in examine({}) if f.topic == "compiler")
    assert finding.verdict is Verdict.PROBLEM
    assert "disk gone" in finding.detail


def test_runs_without_any_package() -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    code += "from dasha_ros.doctor.__main__ import main; sys.exit(main())"
    answer = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 1, answer.stderr
    assert "problem   packages       numpy: not installed" in answer.stdout
    assert "Traceback" not in answer.stderr


def test_an_indi_server_is_found_and_its_library_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("localhost", 0)) as listener:
        monkeypatch.setattr(devices, "INDI_PORT", listener.getsockname()[1])
        for installed, verdict in ((True, Verdict.OK), (False, Verdict.PROBLEM)):
            monkeypatch.setattr(devices, "is_installed", lambda module, installed=installed: installed)
            finding = only(devices.indi_server(), "INDI server")
            assert finding.verdict is verdict
            assert finding.detail.startswith("answers at localhost:")
    assert only(devices.indi_server(), "INDI server").verdict is Verdict.OPTIONAL


def test_webcams_are_named_with_their_lag_and_with_what_to_do(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    node = tmp_path / "video0"
    node.write_text("")
    brio = WebcamFound(node, "Brio", "046d:085e", "AB12", "1-2")
    monkeypatch.setattr(devices, "list_webcams", lambda: [brio])
    (usable,) = devices.webcams()
    assert usable.verdict is Verdict.OK
    assert usable.detail.startswith(
        f"Brio on {node} (AB12, at 1-2), lag: exposure 6, focus 6 frames, assumed"
    )
    monkeypatch.setattr("os.access", lambda path, mode: False)
    (refused,) = devices.webcams()
    assert refused.verdict is Verdict.PROBLEM
    assert refused.advice == "sudo usermod -aG video $USER, then log in again"
    monkeypatch.setattr(devices, "list_webcams", list)
    assert [finding.verdict for finding in devices.webcams()] == [Verdict.OPTIONAL]
