"""A child process: every line is read, whatever happens to log and screen, and no orphan remains."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import textwrap
import threading

import pytest
from programs import OBEDIENT, QUICK, Lines, poll_until, program, runs
from ros_harness import wait_for

from dasha_ros.bringup import child_process
from dasha_ros.bringup.child_process import Program, memory_of
from dasha_ros.bringup.supervisor import Supervisor


def test_output_is_collected_and_logged(tmp_path):
    lines = Lines()
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.stdout.buffer.write(b'\\xff\\n')"
    with Supervisor([program("a", code, respawn=False)], lines, tmp_path / "logs") as supervisor:
        poll_until(supervisor, bool, "the end")
    assert sorted(lines) == [("a", "err"), ("a", "out"), ("a", "\ufffd")]
    assert sorted((tmp_path / "logs" / "a.log").read_text().splitlines()) == ["err", "out", "\ufffd"]


def test_environment_is_added_to_the_supervisors_own(monkeypatch):
    monkeypatch.setenv("DASHA_TEST_INHERITED", "1")
    lines = Lines()
    code = "import os; print(os.environ['DASHA_TEST_INHERITED'] + os.environ['DASHA_TEST_ADDED'])"
    with Supervisor(
        [program("a", code, environment={"DASHA_TEST_ADDED": "2"}, respawn=False)], lines
    ) as supervisor:
        poll_until(supervisor, bool, "the end")
    assert lines == [("a", "12")]


CHATTY = """
    import sys
    for i in range(20_000): print(i, "x" * 100)
    print("done")
"""


def test_a_log_folder_that_vanishes_does_not_stop_a_program(tmp_path):
    lines, folder = Lines(), tmp_path / "logs"
    gate = "import sys, os, time\nwhile not os.path.exists(sys.argv[1]): time.sleep(0.01)\nprint('on')\n"
    code = "print('first')\n" + gate + textwrap.dedent(CHATTY)
    chatty = Program("a", (sys.executable, "-c", code, str(tmp_path / "go")), respawn=False)
    with Supervisor([chatty], lines, folder) as supervisor:
        wait_for(lambda: ("a", "first") in lines, "the first line")
        shutil.rmtree(folder)
        (tmp_path / "go").touch()
        (ended,) = poll_until(supervisor, bool, "the end")
    assert (ended.exit_code, ended.last_lines[-1]) == (0, "done")
    assert lines[-1] == ("a", "done")
    # It came back, and lost nothing that was said since.
    assert (folder / "a.log").read_text().splitlines()[0] == "on"


def test_a_log_folder_that_can_not_be_made_or_written_does_not_stop_a_program(tmp_path):
    lines, folder = Lines(), tmp_path / "logs"
    supervisor = Supervisor([program("a", CHATTY, respawn=False)], lines, folder)
    folder.rmdir()
    folder.write_text("a file where the folder was")
    with supervisor:
        (ended,) = poll_until(supervisor, bool, "the end")
    assert (ended.exit_code, lines[-1]) == (0, ("a", "done"))


def test_a_full_disk_does_not_stop_a_program(tmp_path):
    lines = Lines()
    (tmp_path / "a.log").symlink_to("/dev/full")
    with Supervisor([program("a", CHATTY, respawn=False)], lines, tmp_path) as supervisor:
        (ended,) = poll_until(supervisor, bool, "the end")
    assert (ended.exit_code, lines[-1], len(lines)) == (0, ("a", "done"), 20_001)


@pytest.mark.parametrize("error", [BrokenPipeError("gone"), UnicodeEncodeError("ascii", "°", 0, 1, "no")])
def test_output_that_can_not_be_shown_does_not_stop_a_program(tmp_path, error):
    def show(name: str, line: str) -> None:
        raise error

    with Supervisor([program("a", CHATTY, respawn=False)], show, tmp_path) as supervisor:
        (ended,) = poll_until(supervisor, bool, "the end")
    assert (ended.exit_code, ended.last_lines[-1]) == (0, "done")
    log = (tmp_path / "a.log").read_text().splitlines()
    assert (len(log), log[-1]) == (20_002, "done")
    assert [x for x in log if "could not be shown" in x] == [log[1]]


def test_a_line_without_an_end_is_read_in_pieces():
    lines = Lines()
    code = "import sys; sys.stdout.write('x' * 300_000)"
    with Supervisor([program("a", code, respawn=False)], lines) as supervisor:
        poll_until(supervisor, bool, "the end")
    assert sum(len(text) for _, text in lines) == 300_000
    assert max(len(text) for _, text in lines) == child_process.LONGEST_LINE


@pytest.mark.skipif(
    child_process.shutil.which("setpriv") is None, reason="setpriv (util-linux) is not installed"
)
def test_a_program_outlives_the_thread_that_started_it():
    """Linux sends the signal of --pdeathsig when the thread ends that forked."""
    lines = Lines()
    supervisor = Supervisor([program("a", OBEDIENT)], lines, backoff=QUICK)
    starter = threading.Thread(target=supervisor.start)
    starter.start()
    starter.join()
    wait_for(lambda: ("a", "ready") in lines, "the start")
    # A signal that had been sent at the thread's end would be there before this one.
    os.kill(supervisor.pids()["a"], signal.SIGKILL)
    (ended,) = poll_until(supervisor, bool, "the end")
    assert ended.exit_code == -signal.SIGKILL
    assert ("a", "interrupted") not in lines
    supervisor.stop()


@pytest.mark.skipif(
    child_process.shutil.which("setpriv") is None, reason="setpriv (util-linux) is not installed"
)
def test_no_program_outlives_a_killed_supervisor(spawn):
    code = f"""
        import sys
        from dasha_ros.bringup.child_process import Program
        from dasha_ros.bringup.supervisor import Supervisor
        s = Supervisor([Program("a", (sys.executable, "-c", {textwrap.dedent(OBEDIENT)!r}))],
                       lambda name, line: print(name, line, s.pids()["a"], flush=True))
        s.start()
        while True: s.poll()
    """
    child = spawn.python("-c", textwrap.dedent(code))
    pid = int(child.wait_for_output("a ready").split()[-1])
    child.send(signal.SIGKILL)
    wait_for(lambda: not runs(pid), "the orphan's end")


def test_memory_equals_that_of_the_process():
    lines = Lines()
    code = "x = bytearray(b'1' * 50_000_000); print('ready'); import signal; signal.pause()"
    with Supervisor([program("big", code), program("small", OBEDIENT)], lines) as supervisor:
        wait_for(lambda: len([x for x in lines if x[1] == "ready"]) == 2, "both")
        memory = supervisor.memory()
    assert 50e6 < memory["big"].pss <= memory["big"].rss < 120e6
    assert memory["small"].rss < 40e6
    assert (memory["big"] + memory["small"]).rss == memory["big"].rss + memory["small"].rss
    assert memory_of(2**22 + 1) is None
