"""``dasha focus`` against a real action server: its lines, its sentences, its exit codes."""

from __future__ import annotations

import io
import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.action import FocusOnObject
from dasha_ros.msg import FocusState
from rich.console import Console
from ros_harness import PATIENCE_S

from dasha_ros.cli.focus import Ending, StepPrinter, _wait, conclude
from dasha_ros.cli.terminal.console import out
from dasha_ros.client import FocusError
from dasha_ros.client.outcome import progress_of, result_of
from dasha_ros.policies.outcome import ErrorCode

pytestmark = pytest.mark.graph

FOCUS = (
    "import runpy, signal; signal.signal(signal.SIGHUP, {}); "
    "{}runpy.run_module('dasha_ros.cli', run_name='__main__')"
)
HANGUP_ENDS, HANGUP_IS_IGNORED = FOCUS.format("signal.SIG_DFL", ""), FOCUS.format("signal.SIG_IGN", "")
"""The command as a shell starts it, and under ``nohup``; these tests may run under either."""
IN_ITS_TERMINAL = FOCUS.format(
    "signal.SIG_DFL", "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
)
SERVER = Path(__file__).with_name("fake_focus_server.py")


@pytest.fixture
def server(spawn):
    child = spawn.python(str(SERVER))
    child.wait_for_output("ready")
    return child


@pytest.fixture
def focus(spawn):
    return lambda *arguments: spawn.dasha("focus", *arguments)


def test_success_prints_every_step_and_exits_with_0(server, focus):
    place = "--region", "0.1,0.2,0.5,0.8", "--distance", "0.5,"
    wishes = *place, "--max-seconds", "600", "--any", "--by-priority", "--hold"
    child = focus("cat", "--min-score", "0.5", "--keep-exposure", *wishes)
    assert child.wait() == 0
    assert server.wait_for_output("goal cat 0.5 True")
    heard = "wishes [0.1, 0.2, 0.5, 0.8] 0.5..0 m 600 s any True by_priority True hold True"
    assert server.wait_for_output(heard)
    steps = [line for line in child.lines if line.startswith("A^")]
    assert [line.split()[:2] for line in steps] == [["A^H", "0"], ["A^L", "1"]]
    assert "12,345 µs" in steps[0]
    assert "43.21 V" in steps[0]
    found = child.wait_for_output("found cat")
    assert "score 0.88" in found
    assert "1 + 2 steps" in found


def test_failure_prints_why_and_where_the_report_is_and_exits_with_1(server, focus):
    child = focus("fail")
    assert child.wait() == 1
    assert "Nothing there. Look elsewhere. [code 202]" in child.output
    assert "report: /reports/fail" in child.output


def test_rejection_prints_the_servers_reason_and_exits_with_2(server, focus):
    child = focus("reject")
    assert child.wait() == 2
    assert "goal rejected: 'reject' is not to my taste" in child.output


def test_no_label_means_anything(server, focus):
    assert focus().wait() == 0
    assert server.wait_for_output("goal anything 0 False")


def test_interrupt_cancels_the_goal_and_waits_for_the_restore(server, focus):
    child = focus("wait")
    child.wait_for_output("A^L")
    child.send(signal.SIGINT)
    assert child.wait() == 130
    assert server.wait_for_output("restored")
    assert "waiting until exposure and lens are restored" in child.output
    assert "the goal was cancelled. Send a new goal when ready." in child.output
    assert "Traceback" not in child.output


def test_interrupt_before_a_server_accepted_the_goal_is_the_users_own_end(capsys):
    class Task:
        ends = iter(
            [KeyboardInterrupt(), FocusError("the goal was cancelled before a focus server accepted it")]
        )
        cancels = 0

        def wait(self):
            raise next(self.ends)

        def cancel(self):
            self.cancels += 1

    task = Task()
    with pytest.raises(typer.Exit) as end:
        _wait(task)
    assert (end.value.exit_code, task.cancels) == (130, 1)
    assert "before a focus server accepted it" in capsys.readouterr().err


def test_timeout_cancels_the_goal_and_exits_with_1(server, focus):
    # The deadline includes discovery, which may take seconds on a busy machine.
    child = focus("wait", "--timeout", "15")
    assert child.wait() == 1
    assert server.wait_for_output("restored")
    assert "it took longer than --timeout allows" in child.output


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_cancels_the_goal_and_waits_for_the_restore(server, spawn, number, code):
    child = spawn.python("-c", HANGUP_ENDS, "focus", "wait")
    child.wait_for_output("A^L")
    child.send(number)
    assert child.wait() == code
    assert server.wait_for_output("restored")
    assert "the goal was cancelled. Send a new goal when ready." in child.output
    assert "Traceback" not in child.output


def test_under_nohup_a_closed_terminal_changes_nothing(server, spawn):
    child = spawn.python("-c", HANGUP_IS_IGNORED, "focus", "wait")
    child.wait_for_output("A^L")
    child.send(signal.SIGHUP)
    child.send(signal.SIGTERM)
    assert child.wait() == 143, "the second signal ended it"


def test_a_closed_terminal_cancels_the_goal(server, ros_env):
    """What is printed from then on reaches nobody, and every attempt fails."""
    mine, its = os.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", IN_ITS_TERMINAL, "focus", "wait"],
        env={**os.environ, **ros_env},
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    )
    os.close(its)
    try:
        shown = b""
        while b"A^L" not in shown:
            assert select.select([mine], [], [], PATIENCE_S)[0], shown
            shown += os.read(mine, 4096)
        os.close(mine)
        server.wait_for_output("restored after CANCELED")
        assert child.wait(PATIENCE_S) in (1, 129), "interrupted, or not able to print it"
    finally:
        child.kill()
        child.wait()


def test_second_interrupt_ends_the_wait_and_says_that_the_result_is_unknown(server, focus):
    child = focus("stuck")
    child.wait_for_output("A^L")
    child.send(signal.SIGINT)
    child.wait_for_output("waiting until exposure and lens are restored")
    child.send(signal.SIGINT)
    assert child.wait() == 130
    assert "whether lens and exposure are restored is unknown" in child.output
    assert "Traceback" not in child.output


def test_a_restarted_server_ends_the_wait_with_3(server, focus, spawn):
    child = focus("stuck")
    child.wait_for_output("A^L")
    server.kill()
    spawn.python(str(SERVER)).wait_for_output("ready")
    assert child.wait() == 3
    assert re.search(r"the focus server (is gone|was restarted)", child.output)
    assert "Lens and exposure may not be restored: look at its log" in child.output
    assert "Traceback" not in child.output


def test_a_killed_server_ends_the_wait_with_3(server, focus):
    child = focus("stuck")
    child.wait_for_output("A^L")
    server.kill()
    assert child.wait() == 3  # nobody says goodbye for it: its lease must run out
    assert "the focus server is gone" in child.output


def test_without_a_server_it_says_so_and_exits_with_3(focus):
    child = focus("cat")
    assert child.wait() == 3
    assert "no focus server answers in the namespace /dasha" in child.output
    assert "dasha up" in child.output


def test_bad_namespace_is_refused(focus):
    child = focus("cat", "--namespace", "7up")
    assert child.wait() == 2
    assert "'7up' is not a valid namespace" in child.output


@pytest.mark.parametrize(
    ("option", "number", "words"),
    [
        ("--max-brisque", "1e300", "max_brisque is too large to be sent"),
        ("--region", "0,0,1e-50,1", "x_max of the region = 1e-50 is too small to be sent"),
    ],
)
def test_a_number_that_no_message_can_hold_is_refused(focus, option, number, words):
    child = focus("cat", option, number)
    assert child.wait() == 2
    assert f"error: the goal was not sent: {words}" in child.output
    assert "Traceback" not in child.output


@pytest.mark.parametrize(
    ("code", "timed_out", "line"),
    [
        (ErrorCode.OBJECT_NOT_FOUND, False, "not found (1 + 2 steps, 0.0 s): why. [code 202]"),
        (
            ErrorCode.QUALITY_NOT_REACHED,
            False,
            "found, but not sharp enough (1 + 2 steps, 0.0 s): why. [code 203]",
        ),
        (ErrorCode.LENS_LOST, False, "broken off (1 + 2 steps, 0.0 s): why. [code 302]"),
        (ErrorCode.FOCUS_AGENT_LOST, False, "broken off (1 + 2 steps, 0.0 s): why. [code 305]"),
        (ErrorCode.PREEMPTED, False, "replaced (1 + 2 steps, 0.0 s): why. [code 402]"),
        (ErrorCode.CANCELED, False, "cancelled (1 + 2 steps, 0.0 s): why. [code 401]"),
        (
            ErrorCode.CANCELED,
            True,
            "cancelled (1 + 2 steps, 0.0 s): it took longer than --timeout allows; why. [code 401]",
        ),
    ],
)
def test_a_failure_begins_with_what_failed(code, timed_out, line, capsys):
    message = FocusOnObject.Result(error_code=int(code), error_msg="why.", exposure_steps=1, focus_steps=2)
    result = result_of(message)
    assert conclude(Ending(result, timed_out=timed_out), out()) == 1
    assert capsys.readouterr().out == f"{line}\n"


def test_every_phase_has_a_line_under_one_heading():
    text = io.StringIO()
    show = StepPrinter(Console(file=text, width=120))
    for phase in (FocusState.EXPOSING, FocusState.FOCUSING, FocusState.RESTORING):
        feedback = FocusOnObject.Feedback(
            phase=phase,
            step=7,
            exposure_us=1e6,
            lens_position=70.0,
            lens_unit="V",
            focus_distance_m=0.1075,
            brisque=float("nan"),
        )
        show(progress_of(feedback))
    lines = text.getvalue().splitlines()
    assert [line.split()[0] for line in lines] == ["agent", "A^H", "A^L", "back"]
    assert len({len(line) for line in lines}) == 1


def test_a_cancel_is_told_by_what_it_leaves() -> None:
    """A hold ends well: nothing is restored."""
    text = io.StringIO()
    show = StepPrinter(Console(file=text, width=120))
    assert "restored" in show.at_cancel
    for phase, leaves in (
        (FocusState.FOCUSING, "restored"),
        (FocusState.HOLDING, "stay as they are"),
        (FocusState.EXPOSING, "restored"),
    ):
        show(progress_of(FocusOnObject.Feedback(phase=phase, step=1, sharpness=float("nan"))))
        assert leaves in show.at_cancel
    assert "sharp -" in text.getvalue()
    assert "nan" not in text.getvalue().splitlines()[2].split("sharp")[1]


def test_only_commas_are_no_label() -> None:
    from typer.testing import CliRunner

    from dasha_ros.cli import app

    done = CliRunner().invoke(app, ["focus", " , "])
    assert done.exit_code == 2
    assert "only commas and blanks" in done.output
