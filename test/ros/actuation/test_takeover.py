"""Whether another node took an actuator over during an episode, from the reports of its driver."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from dasha_ros.freshness.command import CommandId
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.ros.actuation.settlement import ActuatorReport
from dasha_ros.ros.actuation.takeover import EXPOSURE_TAKEN, LENS_TAKEN, Takeover

OWN, PERSON, DRIVER = "/robot/low_level_agent#1", "/robot/teleop#1", "/robot/lens_driver#1"


def report(sender: str, sequence: int) -> ActuatorReport:
    return ActuatorReport(DRIVER, CommandId(sender, sequence), 40.0)


@given(st.lists(st.sampled_from([OWN, PERSON, DRIVER, ""]), max_size=8))
def test_only_a_command_of_another_node_after_an_own_one_takes_the_lens(senders: list[str]) -> None:
    takeover = Takeover(lambda sender: sender == OWN)
    takeover.begin()
    for number, sender in enumerate(senders):
        takeover.heed(None, report(sender, number + 1))
    text = "".join({OWN: "o", PERSON: "p", DRIVER: "d", "": "-"}[sender] for sender in senders)
    after_own = text.partition("o")[2]
    taken = takeover.of("lens")
    assert (taken is not None) == ("p" in after_own)
    assert taken is None or taken.command.sequence == len(text) - len(after_own) + after_own.index("p") + 1
    assert takeover.of("exposure") is None
    takeover.begin()
    assert takeover.of("lens") is None


def test_the_error_tells_a_person_from_the_driver() -> None:
    assert EXPOSURE_TAKEN.error(report(PERSON, 1)).code == ErrorCode.COMMAND_OVERRIDDEN
    assert LENS_TAKEN.error(report(DRIVER, 1)).code == ErrorCode.LENS_LOST
