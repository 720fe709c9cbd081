"""./scripts/setup: what it refuses, what it repairs, and that a second run has nothing to do."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def setup_pip(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module("setup_pip")


@pytest.fixture
def setup_venv(setup_pip: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The steps, pointed at an empty virtual environment."""
    module = importlib.import_module("setup_venv")
    venv = tmp_path / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "lib" / "python3.12" / "site-packages").mkdir(parents=True)
    monkeypatch.setattr(module, "VENV", venv)
    monkeypatch.setattr(module, "STAMP", venv / "stamp.json")
    return module


def package(site: Path, name: str, *, record: bool = True, whole: bool = True) -> Path:
    """An installed package, as pip leaves it or as an interrupted pip does."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {name}\nVersion: 1.0\n")
    (site / f"{name}.py").write_text("")
    files = [
        f"{name}.py",
        f"__pycache__/{name}.cpython-312.pyc",
        f"{info.name}/METADATA",
        f"{info.name}/RECORD",
    ]
    if record:
        (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))
    if not whole:
        (site / f"{name}.py").unlink()
    return info


def test_what_the_system_refuses_is_told_by_its_file_and_without_a_number(
    setup_pip: ModuleType, tmp_path: Path
) -> None:
    with pytest.raises(OSError, match="Errno") as refused:
        (tmp_path / "missing" / "lock").open("w")
    words = f"{tmp_path}/missing/lock: No such file or directory; mend that, and run it again to go on"
    assert setup_pip.told(refused.value) == words
    assert setup_pip.told(OSError("a word")) == "a word"
    assert setup_pip.told(setup_pip.SetupError("pip failed")) == "pip failed"


def test_incomplete_packages_are_forgotten_and_whole_ones_kept(setup_pip: ModuleType, tmp_path: Path) -> None:
    whole = package(tmp_path, "whole")
    package(tmp_path, "cut_before_record", record=False)
    package(tmp_path, "file_lost", whole=False)
    assert sorted(setup_pip.forget_broken(tmp_path)) == ["cut_before_record", "file_lost"]
    assert sorted(tmp_path.glob("*.dist-info")) == [whole]


def test_pip_failure_is_one_message_with_advice(setup_pip: ModuleType, tmp_path: Path) -> None:
    lock = tmp_path / "x.lock"
    lock.write_text("no-such-package==1.0\n")
    offline = {**os.environ, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null", "PIP_FIND_LINKS": ""}
    with pytest.raises(setup_pip.SetupError, match=r"(?s)no-such-package==1\.0.*offline.*pip config"):
        setup_pip.install(Path(sys.executable), [lock], offline)


def test_builder_paths_become_empty_but_stay_lines(setup_venv: ModuleType) -> None:
    cmake = setup_venv.VENV / "share" / "rcl" / "cmake" / "export.cmake"
    cmake.parent.mkdir(parents=True)
    cmake.write_text('set(include\n  "/opt/python/cp312-cp312/include/python3.12"\n  "${prefix}/include")\n')
    setup_venv.fix_wheels()
    setup_venv.fix_wheels()
    assert cmake.read_text() == 'set(include\n  ""\n  "${prefix}/include")\n'


def test_checkout_comes_first_and_ros_is_found_without_sourcing(setup_venv: ModuleType) -> None:
    setup_venv.link_checkout()
    lines = (setup_venv.site_packages() / "dasha_checkout.pth").read_text().splitlines()
    variables: dict[str, str] = {}
    path = ["elsewhere"]
    for line in lines:
        # What the site module does with each line, on copies.
        exec(
            line.replace("sys.path", "path").replace("os.environ", "variables"),
            {"path": path, "variables": variables},
        )
    assert path[0] == str(setup_venv.ROOT)
    assert variables["AMENT_PREFIX_PATH"] == sys.prefix
    assert os.access(setup_venv.VENV / "bin" / "dasha", os.X_OK)


def test_interrupted_while_it_imports_the_command_ends_quietly(
    setup_venv: ModuleType, tmp_path: Path
) -> None:
    setup_venv.link_checkout()
    (tmp_path / "dasha_ros").mkdir()
    (tmp_path / "dasha_ros" / "cli.py").write_text("raise KeyboardInterrupt\n")
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-S", str(setup_venv.VENV / "bin" / "dasha")]
    answer = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (130, "")


def test_progress_is_cut_between_words(setup_pip: ModuleType) -> None:
    assert setup_pip.shortened("[1/2] Building") == "[1/2] Building"
    text = setup_pip.shortened("word " * 30)
    assert text == "word " * 13 + "..."
    assert len(setup_pip.shortened("x" * 200)) <= setup_pip.WIDTH


def program(path: Path, *lines: str) -> Path:
    """A program that prints these lines."""
    path.write_text("#!/bin/sh\ncat <<'END'\n" + "".join(f"{line}\n" for line in lines) + "END\n")
    path.chmod(0o755)
    return path


def test_only_lines_that_help_are_shown(
    setup_venv: ModuleType, setup_pip: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(setup_pip.Ticker, "tick", lambda self, text: shown.append(text))
    program(tmp_path / "cmake", '-- Install configuration: ""', "[1/2] Building C object x.c.o")
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    setup_venv.run_cmake(["--build"], {"PATH": path}, setup_venv.BUILD)
    assert shown == ["[1/2] Building C object x.c.o"]
    shown.clear()
    (tmp_path / "x.lock").write_text("# pins\na==1.0\nb==2.0\n")
    ignoring = "Ignoring a: markers 'python_version < \"3.11\"' don't match your environment"
    pip = program(tmp_path / "python", ignoring, "Collecting b==2.0 (from -r x.lock)")
    setup_pip.install(pip, [tmp_path / "x.lock"], dict(os.environ))
    assert shown == ["2/2 Collecting b==2.0"]


def test_unpacking_shows_how_far_it_is(
    setup_pip: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(setup_pip, "LOOK_S", 0.001)
    site, pip = tmp_path / "lib" / "python3.12" / "site-packages", tmp_path / "bin" / "python"
    (site / "old-1.0.dist-info").mkdir(parents=True)
    pip.parent.mkdir()
    shown_it = tmp_path / "shown"
    # This pip ends only when somebody has shown that one of its two packages is there.
    pip.write_text(
        f"#!/bin/sh\necho 'Installing collected packages: a, b'\n"
        f"while [ ! -e '{shown_it}' ]; do sleep 0.01; done\n"
    )
    pip.chmod(0o755)

    def tick(self: object, text: str) -> None:
        shown.append(text)
        (site / "a-1.0.dist-info").mkdir(exist_ok=True)
        if text == "1/2 unpacked":
            shown_it.touch()

    monkeypatch.setattr(setup_pip.Ticker, "tick", tick)
    (tmp_path / "x.lock").write_text("a==1.0\nb==2.0\n")
    setup_pip.install(pip, [tmp_path / "x.lock"], dict(os.environ))
    assert shown[0] == "0/2 unpacked"
    assert shown[-1] == "1/2 unpacked"


@pytest.mark.parametrize("name", ["plain", "my robot (2)", "it's", "a$HOME;b", "x" * 150])
def test_the_command_runs_from_any_path(setup_venv: ModuleType, tmp_path: Path, name: str) -> None:
    """A shebang is cut at its first blank and after 127 bytes."""
    place = tmp_path / name / ".venv"
    (place / "bin").mkdir(parents=True)
    python = place / "bin" / "python"
    python.symlink_to(sys.executable)
    script = tmp_path / "command"
    script.write_text(f"{setup_venv.shebang(python)}\nimport sys\nprint(sys.argv[1:], sys.executable)\n")
    script.chmod(0o755)
    answer = subprocess.run([script, "a b", "c"], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == f"['a b', 'c'] {python}"
    compile(script.read_text(), "command", "exec")


@pytest.mark.parametrize("name", ["plain", "my robot (2)", "it's"])
def test_cmake_sees_a_path_without_odd_letters(setup_venv: ModuleType, tmp_path: Path, name: str) -> None:
    checkout = tmp_path / name
    checkout.mkdir()
    with setup_venv.plain_path(checkout) as path:
        assert setup_venv.PLAIN.fullmatch(str(path))
        assert path.resolve() == checkout.resolve()
    assert checkout.is_dir()


def test_stamp_survives_damage(setup_venv: ModuleType) -> None:
    assert setup_venv.read_stamp() == {}
    setup_venv.write_stamp({"interfaces": "abc"})
    assert setup_venv.read_stamp() == {"interfaces": "abc"}
    setup_venv.STAMP.write_text("{half")
    assert setup_venv.read_stamp() == {}


def test_a_virtual_environment_holds_one_ros(setup_venv: ModuleType, tmp_path: Path) -> None:
    assert setup_venv.choose_ros("kilted", {}, tmp_path) == "kilted"
    assert setup_venv.choose_ros(None, {"ros": "kilted"}, tmp_path) == "kilted"
    with pytest.raises(setup_venv.SetupError, match="holds ROS 2 kilted; to have jazzy, remove that folder"):
        setup_venv.choose_ros("jazzy", {"ros": "kilted"}, tmp_path)
    assert setup_venv.choose_ros(None, {}, tmp_path) == "jazzy"
    assert setup_venv.choose_ros(None, {"layers": {"ros": "made before the choice"}}, tmp_path) == "jazzy"


@pytest.mark.parametrize("distribution", ["jazzy", "kilted"])
def test_every_distribution_has_a_lock_of_its_own(setup_venv: ModuleType, distribution: str) -> None:
    lock = ROOT / "requirements" / f"{setup_venv.ROS_LAYERS[distribution]}.lock"
    assert f"\nros-{distribution}-rclpy==" in lock.read_text()


def test_digest_sees_contents_and_names(setup_venv: ModuleType, tmp_path: Path) -> None:
    a = tmp_path / "A.msg"
    a.write_text("int32 x\n")
    before = setup_venv.digest([a])
    assert setup_venv.digest([a], "/another/checkout") != before
    a.write_text("int64 x\n")
    assert setup_venv.digest([a]) != before
    a.write_text("int32 x\n")
    assert setup_venv.digest([a]) == before
    assert setup_venv.digest([a.rename(tmp_path / "B.msg")]) != before


def test_a_sourced_ros_is_not_mixed(
    setup_venv: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ROS_DISTRO", "jazzy")
    monkeypatch.setattr(setup_venv, "ROS_ROOT", tmp_path)
    setup_venv.check_machine()
    (tmp_path / "jazzy").mkdir()
    with pytest.raises(
        setup_venv.SetupError,
        match=r"(?s)jazzy is sourced.*ubuntu-24\.04\.txt.*colcon build --symlink-install",
    ):
        setup_venv.check_machine()
    monkeypatch.setenv("ROS_DISTRO", "lyrical")
    (tmp_path / "lyrical").mkdir()
    with pytest.raises(setup_venv.SetupError, match=r"ubuntu-26\.04\.txt"):
        setup_venv.check_machine()


@pytest.mark.parametrize(("system", "machine"), [("Linux", "aarch64"), ("Darwin", "x86_64")])
def test_other_machines_are_told_their_way(
    setup_venv: ModuleType, monkeypatch: pytest.MonkeyPatch, system: str, machine: str
) -> None:
    monkeypatch.delenv("ROS_DISTRO", raising=False)
    monkeypatch.setattr(setup_venv.platform, "system", lambda: system)
    monkeypatch.setattr(setup_venv.platform, "machine", lambda: machine)
    with pytest.raises(setup_venv.SetupError, match=rf"{system} {machine}.*pip install \."):
        setup_venv.check_machine()


def test_a_missing_compiler_is_named(
    setup_venv: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(setup_venv, "PYTHON", Path(sys.executable))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(setup_venv.SetupError, match="apt install build-essential"):
        setup_venv.check_compiler(setup_venv.PYTHON, setup_venv.environment())


def test_an_unsupported_python_is_refused() -> None:
    environ = {**os.environ, "PYTHON": "/bin/false"}
    script = ROOT / "scripts" / "setup"
    answer = subprocess.run([script], env=environ, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "Python 3.10 to 3.14" in answer.stderr


@pytest.mark.slow
def test_a_second_run_has_nothing_to_do() -> None:
    if not (ROOT / ".venv" / "dasha-setup.json").is_file():
        pytest.skip("this environment was not made by ./scripts/setup")
    for _ in range(2):
        answer = subprocess.run([ROOT / "scripts" / "setup"], capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stderr
    assert "==>" not in answer.stderr
    assert "ready" in answer.stderr
