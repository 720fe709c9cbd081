"""The supervisor: starts, collects, restarts with back-off, and ends processes in order."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
from pathlib import Path

import pytest
from ros_harness import wait_for

from dasha_ros import supervisor as module
from dasha_ros.supervisor import Backoff, Program, State, Supervisor, memory_of

QUICK = Backoff(first_s=0.01, longest_s=0.04, healthy_s=60.0, tries=3)

OBEDIENT = """
    import signal, sys
    signal.signal(signal.SIGINT, lambda *_: (print("interrupted"), sys.exit(0)))
    print("ready")
    while True: signal.pause()
"""
DEAF_TO_INT = """
    import signal, sys
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print("ready")
    while True: signal.pause()
"""
DEAF = """
    import signal, sys
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("ready")
    while True: signal.pause()
"""


def program(name: str, code: str, **options) -> Program:
    return Program(name, (sys.executable, "-c", textwrap.dedent(code)), **options)


class Lines(list):
    def __call__(self, name: str, line: str) -> None:
        self.append((name, line))


@pytest.fixture(autouse=True)
def _short_deadlines(monkeypatch, tmp_path):
    monkeypatch.setattr(
        module, "SIGNALS", tuple((number, 0.5) for number, _ in module.SIGNALS[:2]) + module.SIGNALS[2:]
    )


def poll_until(supervisor: Supervisor, condition, what: str):
    events = []

    def step():
        events.extend(supervisor.poll())
        return condition(events)

    wait_for(step, what)
    return events


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


def test_stop_interrupts_and_reports_clean_exits():
    lines = Lines()
    supervisor = Supervisor([program("a", OBEDIENT), program("b", OBEDIENT)], lines)
    supervisor.start()
    wait_for(lambda: lines.count(("a", "ready")) and lines.count(("b", "ready")), "both")
    pids = supervisor.pids()
    assert supervisor.stop() == {"a": 0, "b": 0}
    assert ("a", "interrupted") in lines
    assert supervisor.states() == {"a": State.ENDED, "b": State.ENDED}
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids.values())
    assert supervisor.stop() == {}


@pytest.mark.parametrize(("code", "number"), [(DEAF_TO_INT, signal.SIGTERM), (DEAF, signal.SIGKILL)])
def test_stop_insists(code, number):
    lines = Lines()
    supervisor = Supervisor([program("a", code), program("b", OBEDIENT)], lines)
    supervisor.start()
    wait_for(lambda: len([x for x in lines if x[1] == "ready"]) == 2, "both")
    assert supervisor.stop() == {"a": -number, "b": 0}


def test_kill_takes_the_grandchildren_too():
    lines = Lines()
    code = f"""
        import subprocess, sys, signal
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", {textwrap.dedent(DEAF)!r}])
        print(child.pid)
        while True: signal.pause()
    """
    supervisor = Supervisor([program("a", code)], lines)
    supervisor.start()
    wait_for(lambda: ("a", "ready") in lines, "the grandchild")
    pid = next(int(text) for _, text in lines if text.isdigit())
    supervisor.stop()
    wait_for(lambda: not _runs(pid), "the grandchild's end")


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_dead_program_is_restarted_with_longer_and_longer_pauses_and_then_given_up():
    with Supervisor([program("a", "print('last words'); raise SystemExit(3)")], backoff=QUICK) as supervisor:
        events = poll_until(supervisor, lambda e: e and e[-1].restart_in_s is None, "giving up")
        assert supervisor.states() == {"a": State.ENDED}
    assert [e.restart_in_s for e in events] == [0.01, 0.02, 0.04, None]
    assert {e.exit_code for e in events} == {3}
    assert events[-1].last_lines[-1] == "last words"
    assert str(events[0]) == "a ended (exit code 3) and starts again in 0.01 s"
    assert str(events[-1]) == "a ended (exit code 3) and stays down"


def test_program_that_was_healthy_starts_over_with_the_shortest_pause():
    backoff = Backoff(first_s=0.01, healthy_s=0.0, tries=1)
    with Supervisor([program("a", "raise SystemExit(3)")], backoff=backoff) as supervisor:
        events = poll_until(supervisor, lambda e: len(e) == 3, "three ends")
    assert [e.restart_in_s for e in events] == [0.01] * 3


def test_killed_program_runs_again_under_a_new_pid():
    lines = Lines()
    with Supervisor([program("a", OBEDIENT)], lines, backoff=QUICK) as supervisor:
        wait_for(lambda: lines.count(("a", "ready")) == 1, "the start")
        pid = supervisor.pids()["a"]
        os.kill(pid, signal.SIGKILL)
        events = poll_until(supervisor, lambda _: lines.count(("a", "ready")) == 2, "the restart")
        assert supervisor.pids()["a"] != pid
    assert str(events[0]) == "a ended (signal SIGKILL) and starts again in 0.01 s"


def test_program_that_waits_for_its_restart_is_not_started_by_stop():
    slow = Backoff(first_s=3600.0)
    supervisor = Supervisor([program("a", "pass")], backoff=slow)
    supervisor.start()
    poll_until(supervisor, bool, "the end")
    assert supervisor.states() == {"a": State.WAITING}
    assert supervisor.stop() == {}
    assert supervisor.poll() == []


def test_command_that_can_not_start_stops_the_others(monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    supervisor = Supervisor([program("a", OBEDIENT), Program("b", ("/nowhere/b",))])
    with pytest.raises(FileNotFoundError):
        supervisor.start()
    assert supervisor.pids() == {}


def test_names_must_differ():
    with pytest.raises(ValueError, match="same name"):
        Supervisor([program("a", "pass"), program("a", "pass")])


@pytest.mark.skipif(module.shutil.which("setpriv") is None, reason="setpriv (util-linux) is not installed")
def test_no_program_outlives_a_killed_supervisor(spawn):
    code = f"""
        import sys
        from dasha_ros.supervisor import Program, Supervisor
        s = Supervisor([Program("a", (sys.executable, "-c", {textwrap.dedent(OBEDIENT)!r}))],
                       lambda name, line: print(name, line, s.pids()["a"], flush=True))
        s.start()
        while True: s.poll()
    """
    child = spawn.python("-c", textwrap.dedent(code))
    pid = int(child.wait_for_output("a ready").split()[-1])
    child.send(signal.SIGKILL)
    wait_for(lambda: not _runs(pid), "the orphan's end")


def test_memory_is_what_the_process_holds():
    lines = Lines()
    code = "x = bytearray(b'1' * 50_000_000); print('ready'); import signal; signal.pause()"
    with Supervisor([program("big", code), program("small", OBEDIENT)], lines) as supervisor:
        wait_for(lambda: len([x for x in lines if x[1] == "ready"]) == 2, "both")
        memory = supervisor.memory()
    assert 50e6 < memory["big"].pss <= memory["big"].rss < 120e6
    assert memory["small"].rss < 40e6
    assert (memory["big"] + memory["small"]).rss == memory["big"].rss + memory["small"].rss
    assert memory_of(2**22 + 1) is None
