"""The emulated lens on its pseudo-terminal, through the real driver and real pyserial."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dasha_ros.devices.errors import DeviceLost, DeviceTimeout
from dasha_ros.devices.serial import link as serial_link
from dasha_ros.devices.serial.link import SerialLink
from dasha_ros.devices.serial.port_lock import lock_path
from dasha_ros.devices.varioptic.lens import VariopticLens, VariopticSettings
from dasha_ros.devices.varioptic.protocol import BAUD, wire_seconds
from dasha_ros.emulators.lens.line import LineFaults
from dasha_ros.emulators.lens.port import LensEmulator, LensEmulatorSettings
from dasha_ros.emulators.lens.state import read_state, state_path
from dasha_ros.optics.profiles import lens_model
from dasha_ros.system.shared_memory import SHARED_MEMORY


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[LensEmulator]:
    with LensEmulator(tmp_path / "lens", LensEmulatorSettings(paced=False)) as running:
        yield running


@pytest.fixture
def lens(emulator: LensEmulator) -> Iterator[VariopticLens]:
    driver = VariopticLens(VariopticSettings(port=str(emulator.link), reply_timeout_s=0.2, quiet_s=0.005))
    driver.open()
    yield driver
    driver.close()


def test_a_move_reaches_the_board(emulator: LensEmulator, lens: VariopticLens) -> None:
    assert lens.move(45.0).position == emulator.position() == pytest.approx(45.0035)
    assert emulator.board.latched[-1] == 21_000


@pytest.mark.parametrize(
    "faults",
    [
        {"nack": 0.2},
        {"corrupt_request": 0.2},
        {"corrupt_reply": 0.2},
        {"noise": 0.2},
    ],
    ids=lambda faults: next(iter(faults)),
)
def test_a_bad_line_is_slow_but_never_wrong(
    emulator: LensEmulator, lens: VariopticLens, faults: dict[str, float]
) -> None:
    emulator.set_faults(**faults)
    arrived = 0
    for step in range(30):
        volts = 30.0 + step
        try:
            lens.move(volts)
        except DeviceTimeout:
            continue
        arrived += 1
        assert (emulator.board.code, emulator.board.mode) == (round((volts - 24) * 1000), 0)
    assert arrived >= 20
    assert sum(lens.counts[kind] for kind in ("refused", "garbled", "incomplete")) > 0


def test_a_late_reply_is_not_taken_for_the_next_one(emulator: LensEmulator) -> None:
    # The reply comes after the time-out, while the next request is under way.
    lens = VariopticLens(
        VariopticSettings(port=str(emulator.link), reply_timeout_s=0.02, quiet_s=0.03, attempts=2)
    )
    lens.open()
    lens.move(30.0)
    emulator.set_faults(late_reply=1.0, late_s=0.1)
    with pytest.raises(DeviceTimeout):
        lens.move(40.0)
    emulator.set_faults(late_reply=0.0)
    for volts in (50.0, 31.0, 60.0):
        lens.move(volts)
        assert emulator.board.code == round((volts - 24) * 1000)
    assert lens.read().position == pytest.approx(60.0, abs=0.0223)
    lens.close()


def test_an_unplugged_lens_is_lost_and_comes_back_at_its_voltage(
    emulator: LensEmulator, lens: VariopticLens
) -> None:
    lens.move(49.0)
    first = os.readlink(emulator.link)
    emulator.unplug()
    assert not emulator.link.is_symlink()
    with pytest.raises(DeviceLost, match="is gone"):
        lens.move(50.0)
    with pytest.raises(DeviceLost, match="there is no"):
        lens.open()
    taken = os.openpty()  # so that the new port is another one, as after a real re-plug
    emulator.plug()
    assert os.readlink(emulator.link) != first
    assert lens.open().position == pytest.approx(49.0, abs=0.0223)
    assert lens.move(50.0).position == pytest.approx(50.0, abs=0.0223)
    for end in taken:
        os.close(end)


def test_unplugged_within_a_command(emulator: LensEmulator, lens: VariopticLens) -> None:
    emulator.on_request = emulator.unplug
    with pytest.raises(DeviceLost, match="is gone"):
        lens.move(50.0)
    emulator.on_request = None
    emulator.plug()
    lens.open()
    lens.move(50.0)
    assert emulator.board.code == 26_000


def test_a_brown_out_is_noticed_and_repaired(emulator: LensEmulator, lens: VariopticLens) -> None:
    lens.move(49.0)
    emulator.brown_out()
    with pytest.raises(DeviceLost, match="restarted by itself"):
        lens.read()
    lens.open()
    assert (emulator.board.code, emulator.board.mode) == (25_000, 0)


def test_a_move_after_a_brown_out_just_works(emulator: LensEmulator, lens: VariopticLens) -> None:
    emulator.brown_out()
    lens.move(49.0)
    assert (emulator.board.code, emulator.board.mode) == (25_000, 0)


def test_unrequested_bytes_are_dropped(emulator: LensEmulator, lens: VariopticLens) -> None:
    emulator.inject(b"\x02\x37\x06\x3f" * 3 + b"\x02\x38")
    lens.move(49.0)
    assert emulator.board.code == 25_000


def test_a_port_in_use_is_refused(emulator: LensEmulator, lens: VariopticLens) -> None:
    rival = VariopticLens(VariopticSettings(port=str(emulator.link)))
    with pytest.raises(DeviceLost, match="another process"):
        rival.open()
    lens.move(30.0)
    lens.close()
    rival.open()
    rival.close()


def test_a_port_that_never_stops_sending_is_not_a_lens(
    emulator: LensEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = SerialLink(str(emulator.link), 0.1, BAUD)
    emulator.inject(bytes(500))
    link.wait_quiet(0.2)  # an old buffer is not a reason to give up
    monkeypatch.setattr(SerialLink, "MAX_GARBAGE_BYTES", 400)
    emulator.inject(bytes(500))
    with pytest.raises(DeviceLost, match="bytes without end"):
        link.wait_quiet(2.0)
    link.close()


def test_one_path_has_one_emulator(emulator: LensEmulator, tmp_path: Path) -> None:
    with pytest.raises(FileExistsError, match="another lens emulator"):
        LensEmulator(emulator.link).start()
    precious = tmp_path / "precious"
    precious.write_text("data")
    with pytest.raises(FileExistsError, match="not an emulator's link"):
        LensEmulator(precious).start()
    assert precious.read_text() == "data"


def test_the_path_of_a_dead_emulator_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "lens").symlink_to("/dev/pts/never")
    with LensEmulator(tmp_path / "lens") as emulator:
        assert emulator.plugged
        assert (tmp_path / "lens").exists()
    assert sorted(os.listdir(tmp_path)) == []


def killed_emulator(link: Path) -> None:
    """Leave the files of a lens emulator that was killed with SIGKILL."""
    program = (
        "import os, pathlib, signal\n"
        "from dasha_ros.emulators.lens.port import LensEmulator\n"
        f"LensEmulator(pathlib.Path({str(link)!r})).start()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program], check=False, timeout=600)
    assert killed.returncode == -signal.SIGKILL


def test_a_killed_emulators_port_is_not_opened(tmp_path: Path) -> None:
    link = tmp_path / "lens"
    killed_emulator(link)
    assert link.is_symlink()
    # Another program has got the terminal's number meanwhile.
    somebody, elses = os.openpty()
    link.unlink()
    link.symlink_to(os.ttyname(elses))
    lens = VariopticLens(VariopticSettings(port=str(link)))
    with pytest.raises(DeviceLost, match="was left behind by a lens emulator that was killed"):
        lens.open()
    os.set_blocking(somebody, False)
    with pytest.raises(BlockingIOError):
        os.read(somebody, 1)
    with pytest.raises(FileNotFoundError, match="was killed; start it again"):
        read_state(link)
    with LensEmulator(link):
        lens.open()
        lens.close()
        assert read_state(link).position == pytest.approx(24.4)
    assert os.listdir(tmp_path) == []
    os.close(somebody)
    os.close(elses)


def test_a_port_that_dies_while_it_is_opened_is_closed(
    emulator: LensEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter([False, True])
    monkeypatch.setattr(serial_link, "is_abandoned", lambda port: next(looks))
    with pytest.raises(DeviceLost, match="left behind"):
        SerialLink(str(emulator.link), 0.1, BAUD)
    monkeypatch.undo()
    SerialLink(str(emulator.link), 0.1, BAUD).close()  # nobody holds it


def test_a_foreign_pseudo_terminal_is_a_port(tmp_path: Path) -> None:
    # Such as a bridge to a serial port of another computer.
    master, slave = os.openpty()
    (tmp_path / "bridge").symlink_to(os.ttyname(slave))
    SerialLink(str(tmp_path / "bridge"), 0.1, BAUD).close()
    os.close(master)
    os.close(slave)


def test_checking_the_lock_does_not_take_it(tmp_path: Path) -> None:
    link = tmp_path / "lens"
    killed_emulator(link)
    looker = os.open(lock_path(link), os.O_RDONLY)
    fcntl.flock(looker, fcntl.LOCK_SH)
    timer = threading.Timer(0.03, os.close, (looker,))
    timer.start()
    with LensEmulator(link) as emulator:
        assert emulator.plugged
    timer.join()


def test_a_lens_without_steps_and_play_is_exact(tmp_path: Path) -> None:
    settings = LensEmulatorSettings(paced=False, step=0.0, hysteresis=0.0, time_constant_s=0.0)
    with LensEmulator(tmp_path / "lens", settings) as emulator:
        lens = VariopticLens(VariopticSettings(port=str(emulator.link)))
        lens.open()
        lens.move(45.123)
        assert emulator.position() == pytest.approx(45.123)
        state = read_state(emulator.link)
        now_ns = state.trajectory.moved_at_ns
        assert state.trajectory.at(now_ns) == pytest.approx(lens_model().dioptres(45.123))
        lens.close()


def test_stopping_twice_is_fine_and_starting_again_too(tmp_path: Path) -> None:
    emulator = LensEmulator(tmp_path / "lens")
    for _ in range(2):
        emulator.start()
        assert emulator.link.exists()
        emulator.stop()
        emulator.stop()
        assert not emulator.link.is_symlink()


def test_the_camera_can_read_the_focus(emulator: LensEmulator, lens: VariopticLens) -> None:
    before = time.monotonic_ns()
    lens.move(45.0)
    state = read_state(emulator.link)
    assert state.position == pytest.approx(45.0035)
    assert before <= state.trajectory.moved_at_ns <= time.monotonic_ns()
    # At rest within the slack of 0.05 V of the liquid.
    at_rest = state.trajectory.at(time.monotonic_ns() + 10**9)
    assert at_rest == pytest.approx(lens_model().dioptres(45.0), abs=0.06 * 0.31)
    emulator.unplug()
    assert read_state(emulator.link).position == 24.4


def test_the_state_of_the_lens_is_not_on_a_disk(tmp_path: Path) -> None:
    """Replacing a file on a disk took 0.3 s now and then; the driver gives the board 0.26 s."""
    link = tmp_path / "lens"
    with LensEmulator(link):
        folder = state_path(link).resolve(strict=True).parent
        assert folder.parent == SHARED_MEMORY
    assert not folder.exists()
    killed_emulator(link)
    left = state_path(link).resolve(strict=True)
    with LensEmulator(link):
        assert not left.exists()
        assert read_state(link).position == 24.4


def test_an_invalid_state_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="dasha emulate lens"):
        read_state(tmp_path / "lens")
    state_path(tmp_path / "lens").write_text('{"volts": 3}')
    with pytest.raises(ValueError, match="not the state of an emulated lens"):
        read_state(tmp_path / "lens")


def test_a_paced_emulator_is_as_slow_as_the_wire(tmp_path: Path) -> None:
    with LensEmulator(tmp_path / "lens", LensEmulatorSettings(paced=True)) as emulator:
        lens = VariopticLens(VariopticSettings(port=str(emulator.link)))
        lens.open()
        begin = time.monotonic()
        for step in range(10):
            lens.move(30.0 + step)
        # Write and check: 7 + 4 and 5 + 7 bytes. Only the lower bound is certain on a busy machine.
        assert time.monotonic() - begin >= 10 * wire_seconds(23)
        lens.close()


def test_faults_may_be_set_at_the_start(tmp_path: Path) -> None:
    settings = LensEmulatorSettings(faults=LineFaults(drop_reply=1.0), paced=False)
    with LensEmulator(tmp_path / "lens", settings) as emulator:
        lens = VariopticLens(
            VariopticSettings(port=str(emulator.link), reply_timeout_s=0.005, quiet_s=0.001, attempts=2)
        )
        with pytest.raises(DeviceLost, match="does not answer"):
            lens.open()
        emulator.clear_faults()
        lens.open()
        lens.close()
