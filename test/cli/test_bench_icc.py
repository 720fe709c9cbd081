"""``dasha lens`` with a lens at an ICC-4C, on a double of Optotune's package."""

from __future__ import annotations

from pathlib import Path

import pytest
from opto_icc import Icc, install
from typer.testing import CliRunner

from dasha_ros.cli import app


def run(*arguments: object):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_a_lens_at_an_icc_is_set_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    icc = Icc(tmp_path / "icc", channel=2)
    install(monkeypatch, icc)
    named = ("--port", icc.port, "--board", "icc-4c:2")
    done = run("lens", "set", 1.234, *named)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "1.2350 D, commanded 1.234 D",
        f"Optotune ICC-4C at {icc.port}, firmware 2.0.5256",
        "faults: none",
    ]
    assert icc.dioptres == pytest.approx(1.235)  # and there it stays
    done = run("lens", "get", *named)
    assert done.stdout.splitlines()[0] == "1.2350 D, commanded 1.235 D"
    icc.errors = 1 << 8
    done = run("lens", "faults", *named)
    assert (done.exit_code, done.stdout) == (1, "controller overheated\n")
    for board, code, words in (
        ("icc-4c", 3, "no lens is connected to channel 0 of the ICC-4C"),
        ("icc-4c:7", 2, "an ICC-4C has channels 0 to 3"),
        ("icc-1c", 3, "no Optotune ICC-1C answers at"),
    ):
        done = run("lens", "get", "--port", icc.port, "--board", board)
        assert (done.exit_code, done.stdout) == (code, "")
        assert words in done.stderr
