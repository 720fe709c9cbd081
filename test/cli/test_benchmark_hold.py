"""``dasha benchmark hold`` refuses what it does not know before it renders anything."""

from __future__ import annotations

from typer.testing import CliRunner

from dasha_ros.cli import app


def test_an_unknown_player_is_refused_with_the_known_ones():
    done = CliRunner().invoke(app, ["benchmark", "hold", "--player", "me"])
    assert done.exit_code == 2
    assert "no player 'me'; there are hold, hold_detected, libcamera" in done.output
