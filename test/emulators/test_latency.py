"""The measurement itself; its numbers depend on the machine and are not asserted."""

from __future__ import annotations

import pytest

from dasha_ros.emulators import latency


def test_the_bytes_of_a_move_are_those_that_are_sent() -> None:
    from dasha_ros.devices.varioptic.protocol import (
        WRITE_ACK,
        focus_bytes,
        read_reply_bytes,
        read_request,
        write_request,
    )

    sent = len(write_request(0, focus_bytes(1))) + len(read_request(0, 4))
    assert sent + len(WRITE_ACK) + read_reply_bytes(4) == latency.MOVE_BYTES


def test_every_number_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    latency.main(["--count", "5", "--width", "64", "--height", "48"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "one lens move is 3.99 ms on the wire"
    assert [line.split(":")[0] for line in lines[1:]] == [
        "lens move, beyond the wire",
        "trigger to array, beyond the exposure",
        "age of a preview frame at 50 fps",
    ]
    assert all("5 times" in line for line in lines[1:])
