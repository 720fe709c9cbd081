"""The supervisor starts processes, collects output, restarts with back-off, and ends them in order."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import textwrap
from pathlib import Path

import pytest
from programs import DEAF, DEAF_TO_INT, OBEDIENT, QUICK, Lines, poll_until, program, runs
from ros_harness import PATIENCE_S, wait_for

from dasha_ros.bringup import child_process
from dasha_ros.bringup import supervisor as module
from dasha_ros.bringup.child_process import Program
from dasha_ros.bringup.supervisor import Backoff, State, Supervisor


@pytest.fixture(autouse=True)
def _short_deadlines(monkeypatch, tmp_path):
    for name in ("SIGNALS", "IN_A_HURRY"):
        usual = getattr(module, name)
        monkeypatch.setattr(module, name, (*((number, 0.5) for number, _ in usual[:-1]), usual[-1]))


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
def test_stop_escalates_its_signals(code, number):
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
    wait_for(lambda: not runs(pid), "the grandchild's end")


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
    monkeypatch.setattr(child_process.shutil, "which", lambda name: None)
    supervisor = Supervisor([program("a", OBEDIENT), Program("b", ("/nowhere/b",))])
    with pytest.raises(FileNotFoundError):
        supervisor.start()
    assert supervisor.pids() == {}


def test_names_must_differ():
    with pytest.raises(ValueError, match="same name"):
        Supervisor([program("a", "pass"), program("a", "pass")])


def test_stages_end_one_after_the_other(tmp_path):
    """Each program notes the time of its signal and waits: the next stage must not have a signal yet."""
    lines = Lines()
    code = """
        import signal, sys, time, pathlib
        def end(*_):
            print("told", time.monotonic_ns())
            time.sleep(0.1)
            print("gone", time.monotonic_ns())
            sys.exit(0)
        signal.signal(signal.SIGINT, end)
        print("ready")
        while True: signal.pause()
    """
    stages = {"driver": 3, "server": 0, "agent a": 1, "agent b": 1}
    supervisor = Supervisor([program(name, code, stage=stage) for name, stage in stages.items()], lines)
    supervisor.start()
    wait_for(lambda: len(lines) == len(stages), "all")
    assert supervisor.stop() == dict.fromkeys(stages, 0)
    when = {(name, what): int(at) for name, line in lines if " " in line for what, at in [line.split()]}
    for (earlier, first), (later, second) in itertools.permutations(stages.items(), 2):
        if first < second:
            assert when[earlier, "gone"] < when[later, "told"]


def test_a_hurry_ends_all_that_is_left_at_once():
    lines, told = Lines(), []
    programs = [program("hangs", DEAF), program("waits its turn", OBEDIENT, stage=1)]
    supervisor = Supervisor(programs, lines)
    supervisor.start()
    wait_for(lambda: len(lines) == 2, "both")
    # The hurry begins when the first stage was told to end, and would not for an hour.
    module.SIGNALS, usual = ((signal.SIGINT, 3600.0),), module.SIGNALS
    looks = iter([False, False, False])
    try:
        assert supervisor.stop(lambda: next(looks, True), told.append) == {"hangs": -9, "waits its turn": 0}
    finally:
        module.SIGNALS = usual


def test_slow_programs_are_reported_once(monkeypatch):
    monkeypatch.setattr(module, "TELL_AFTER_S", 0.1)
    lines, told = Lines(), []
    supervisor = Supervisor([program("hangs", DEAF), program("obeys", OBEDIENT)], lines)
    supervisor.start()
    wait_for(lambda: len(lines) == 2, "both")
    supervisor.stop(tell=told.append)
    assert told == [["hangs"]]


def test_a_restart_that_can_not_be_executed_counts_as_an_end(tmp_path, monkeypatch):
    monkeypatch.setattr(child_process.shutil, "which", lambda name: None)
    script = tmp_path / "script"
    script.write_text(f"#!{sys.executable}\nprint('once')\n")
    script.chmod(0o755)
    with Supervisor([Program("a", (str(script),))], backoff=QUICK) as supervisor:
        first = poll_until(supervisor, bool, "the first end")
        script.unlink()
        events = poll_until(supervisor, lambda e: e and e[-1].restart_in_s is None, "giving up")
        assert supervisor.states() == {"a": State.ENDED}
    assert first[0].exit_code == 0
    assert [e.exit_code for e in events] == [module.COULD_NOT_START] * 3
    assert "could not be started" in str(events[0])
    assert str(script) in str(events[0])


def test_a_final_exit_code_is_not_tried_again():
    code = "print('the reason'); raise SystemExit(2)"
    with Supervisor([program("a", code, final_codes=frozenset({2}))], backoff=QUICK) as supervisor:
        (ended,) = poll_until(supervisor, bool, "the end")
        assert supervisor.states() == {"a": State.ENDED}
    assert (ended.is_final, ended.restart_in_s, ended.last_lines) == (True, None, ("the reason",))


def test_a_signal_without_a_name_is_reported_by_number():
    number = signal.SIGRTMIN + 3
    with Supervisor([program("a", f"import os; os.kill(os.getpid(), {number})")]) as supervisor:
        (ended,) = poll_until(supervisor, bool, "the end")
    assert f"signal {int(number)}" in str(ended)


def test_a_deaf_program_tells_where_it_stands_before_it_is_killed(monkeypatch):
    patient = [(n, PATIENCE_S if n is signal.SIGQUIT else limit_s) for n, limit_s in module.SIGNALS]
    monkeypatch.setattr(module, "SIGNALS", patient)
    code = """
        import faulthandler, signal, sys
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)
        faulthandler.register(signal.SIGQUIT, chain=True)
        def hangs():
            print("ready")
            while True: signal.pause()
        hangs()
    """
    lines = Lines()
    supervisor = Supervisor([program("a", code)], lines)
    supervisor.start()
    wait_for(lambda: ("a", "ready") in lines, "the program")
    assert supervisor.stop() == {"a": -signal.SIGQUIT}
    assert any(line.endswith("in hangs") for _, line in lines)
