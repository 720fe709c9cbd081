"""The course of a run that learned online."""

from __future__ import annotations

import math

import pytest

from dasha_ros.benchmark.online import Episodes, main

RUN = "#{}\nr,l,t\n-10.0,10,1.0\n-8.0,10,2.0\n-4.0,5,3.0\n-2.0,5,4.0\n"


def test_parts_follow_the_run(tmp_path):
    path = tmp_path / "run.monitor.csv"
    path.write_text(RUN)
    assert Episodes.read(path).parts(2) == [
        (20, -9.0, pytest.approx(1.0)),
        (30, -3.0, pytest.approx(1.0)),
    ]
    single = Episodes.read(path).parts(100)
    assert len(single) == 4
    assert all(math.isnan(spread) for _, _, spread in single), "one episode tells nothing of the spread"


def test_a_run_is_printed_and_drawn(tmp_path, capsys):
    path, figure = tmp_path / "run.monitor.csv", tmp_path / "run.svg"
    path.write_text(RUN)
    main([str(path), "--parts", "2", "--out", str(figure)])
    assert "up to step     30: return   -3.00 +- 1.00\n" in capsys.readouterr().out
    main([str(path), "--parts", "4", "--out", str(figure)])
    assert "up to step     30: return   -2.00\n" in capsys.readouterr().out
    assert figure.read_text().startswith("<?xml")


@pytest.mark.parametrize("text", ["", "#{}\nr,l,t\n"])
def test_an_empty_run_is_refused(tmp_path, capsys, text):
    path = tmp_path / "run.monitor.csv"
    path.write_text(text)
    with pytest.raises(SystemExit):
        main([str(path)])
    assert "holds no episode" in capsys.readouterr().err
