"""Options that mean nothing beside others."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dasha_ros.cli import app
from dasha_ros.policies.learned.policy_file import shipped_policy


def test_options_that_mean_nothing_beside_others_are_refused(tmp_path: Path) -> None:
    setup = ("setup-camera", "-o", str(tmp_path / "mine.yaml"))
    for arguments, sentence in (
        (("emulate", "lens", "--device", "optotune", "--analog"), "--analog/--digital does not apply to"),
        (("record", "--recover", "x", "--seconds", "5"), "--seconds does not apply to --recover"),
        (
            ("benchmark", "stress", "--scenes", "x", "--split", "1"),
            "--split does not apply to --scenes, only",
        ),
        (("benchmark", "exposure", "--scenes", "x", "--splits", "2"), "--splits does not apply to --scenes"),
        (("benchmark", "exposure", "--scenes", "x", "--rendered"), "--rendered does not apply to --scenes"),
        (("benchmark", "focus", "--rig", "emulated"), "--rig does not apply to a comparison without --over-"),
        ((*setup, "--skip", "lens", "--again", "lens"), "step lens: --skip and --again exclude each other"),
    ):
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 2
        assert sentence in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_repeatable_option_with_the_same_value_twice_is_refused(tmp_path: Path) -> None:
    # Each episode would count twice.
    places = ("--scenes", str(tmp_path))
    for command, option, value in (
        (("evaluate", *places), "--policy", "constant"),
        (("evaluate", *places), "--setting", "planes_wide"),
        (("evaluate", "--stacks", str(tmp_path)), "--policy", "plus"),
        (("benchmark", "stress", *places), "--policy", "constant"),
        (("benchmark", "stress", *places), "--stress", "plain"),
        (("benchmark", "exposure", *places), "--policy", "histogram"),
        (("benchmark", "exposure", *places), "--light", "13:300"),
        (("benchmark", "focus"), "--policy", "coarse_to_fine"),
        (("benchmark", "focus"), "--scene", "cup"),
        (("benchmark", "rig"), "--scene", "cup"),
        (("benchmark", "replay"), "--scene", "cup"),
        (("benchmark", "hold"), "--player", "nobody"),
        (("benchmark", "object-light"), "--focus-policy", "oracle"),
        (("benchmark", "object-light"), "--ratio", "8"),
    ):
        done = CliRunner().invoke(app, [*command, option, value, option, value])
        assert done.exit_code == 2, done.output
        assert f"{option} {value} is given twice" in done.stderr


def test_a_policy_by_its_name_and_by_its_file_is_the_same_one_twice(tmp_path: Path) -> None:
    places = ("--scenes", str(tmp_path))
    for command, option, agent in (
        (("evaluate", *places), "--policy", "focus"),
        (("evaluate", "--stacks", str(tmp_path)), "--policy", "focus"),
        (("benchmark", "stress", *places), "--policy", "focus"),
        (("benchmark", "exposure", *places), "--policy", "exposure"),
        (("benchmark", "focus"), "--policy", "focus"),
        (("benchmark", "object-light"), "--focus-policy", "focus"),
    ):
        link = tmp_path / f"{agent}.npz"
        link.unlink(missing_ok=True)
        link.symlink_to(shipped_policy("plus", agent))
        for one, other in (("plus", str(link)), (str(link), "plus")):
            done = CliRunner().invoke(app, [*command, option, one, option, other])
            assert done.exit_code == 2, done.output
            assert f"{option} {other} is given twice, the first time as {one}" in done.stderr


@pytest.mark.parametrize("name", ["x" * 300, "x" * 300 + ".npz", "nobody"])
def test_a_policy_that_is_none_is_refused_with_a_sentence(tmp_path: Path, name: str) -> None:
    for command in (
        ("evaluate", "--scenes", str(tmp_path), "--policy"),
        ("benchmark", "focus", "--policy"),
    ):
        done = CliRunner().invoke(app, [*command, name])
        assert done.exit_code in (1, 2), done.output
        assert not isinstance(done.exception, OSError), done.output
        assert "error: " in done.stderr


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("lens", "set", "--prot", "3"), "--port"),
        (("lens", "set", "3", "--prot=/dev/ttyUSB0"), "--port"),
        (("set", "lens_driver", "x", "--namespcae", "/a", "3"), "--namespace"),
    ],
)
def test_a_mistyped_option_is_named_where_negative_numbers_are_taken(
    words: tuple[str, ...], hint: str
) -> None:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    told = " ".join(done.output.replace("│", " ").split())
    assert f"there is no such option; do you mean {hint}?" in told


@pytest.mark.parametrize("position", ["-5", "-.5", "-1e1"])
def test_a_negative_number_is_no_option(position: str) -> None:
    done = CliRunner().invoke(app, ["lens", "set", position, "--port", "/dev/none"])
    assert "there is no /dev/none" in done.output
