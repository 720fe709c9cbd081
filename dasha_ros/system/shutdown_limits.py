"""Time limits for every part of a shutdown, from the innermost wait to the whole graph, in seconds.

Whoever waits for a shutdown must wait longer than all its parts take together; otherwise a node is killed
while it restores a lens. Therefore only the limits at the top are numbers; all others are sums of them.
"""

from __future__ import annotations

import math

MESSAGE_ARRIVES_S = 4.0
"""A node's last messages reach all their subscribers, on a busy computer too: Fast DDS sends a lost one again
after 0.2 s, or after 3 s with a profile of the user's own."""
STATE_ARRIVES_S = 1.0
"""What a driver tells of a command arrives at a server that ends; a later word changes nothing."""
GOAL_NOTICES_S = 1.0
"""A goal notices that it has to end: it checks every 50 ms while it waits, and before every decision."""
DRIVER_ANSWERS_S = 2.0
"""A driver applies a command, in addition to the exposures that its picture needs."""
EXPOSURE_S = 1.0
"""The longest exposure that agents command. A node that shuts down waits for no longer one."""
DRIVER_RESTARTS_S = 6.0
"""A driver that died is started again and publishes. A node that restores an actuator waits for this, unless
it has to shut down itself."""
PICTURE_S = 0.5
"""The annotated picture of the last step arrives after its percept."""
REPORT_S = 1.0
"""The report of a goal is written."""
TRAINER_YIELDS_S = 2.0
"""The trainer finishes setting up the episode that it had begun when somebody else's goal arrives."""
LEARNER_STOPS_S = 10.0
"""A learner ends its step and its update."""
DEVICE_CALL_S = 10.0
"""The longest call to a connected device."""
CLEAN_UP_S = 1.0
"""A node that has finished its work leaves its topics and releases what it holds."""
PYTHON_EXITS_S = 5.0
"""A finished interpreter exits: its libraries clean up, too. `system.exit` ends what takes longer."""
SIGNAL_WORKS_S = 2.0
"""A signal takes effect that no process can ignore, or that interrupts every wait."""
STILL_LOADS_S = 2.0
"""A node that is still loading after this long has not worked yet: it does not have to clean up."""

AGENT_RESTORES_S = DRIVER_ANSWERS_S + 2 * EXPOSURE_S
"""An agent restores its actuator: the exposure in progress, and one that shows the old setting."""
AGENT_GOAL_ENDS_S = GOAL_NOTICES_S + AGENT_RESTORES_S
"""An interrupted goal of an agent returns its result."""
SERVER_RESTORES_S = AGENT_RESTORES_S
"""The focus server restores the lens and, at the same time, the exposure."""
SERVER_GOAL_ENDS_S = GOAL_NOTICES_S + AGENT_GOAL_ENDS_S + SERVER_RESTORES_S + PICTURE_S + REPORT_S
"""An interrupted goal of the focus server returns its result."""
DRIVER_STOPS_S = DEVICE_CALL_S + DRIVER_ANSWERS_S
"""A driver that shuts down during a goal finishes the current call and restores its own actuator."""
TRAINER_STOPS_S = GOAL_NOTICES_S + SERVER_GOAL_ENDS_S
"""The trainer cancels its goal, and the goal ends."""

NODE_ENDS_S = (
    max(SERVER_GOAL_ENDS_S, LEARNER_STOPS_S + AGENT_GOAL_ENDS_S, DRIVER_STOPS_S, TRAINER_STOPS_S)
    + MESSAGE_ARRIVES_S
    + CLEAN_UP_S
)
"""Any node cleans up; a node that takes longer ends itself by force."""
STUCK_S = NODE_ENDS_S + CLEAN_UP_S
"""The kernel's timer ends a node that can't end itself because a library holds Python's lock."""
PROCESS_ENDS_S = STUCK_S + PYTHON_EXITS_S
"""The process of any node is gone after the first SIGINT."""
SIGTERM_S = SIGQUIT_S = SIGKILL_S = SIGNAL_WORKS_S
"""The wait after each further signal."""

HURRIED_S = DRIVER_ANSWERS_S + MESSAGE_ARRIVES_S + CLEAN_UP_S + PYTHON_EXITS_S
"""The wait for all processes when the user is in a hurry: drivers that respond restore their actuators."""

LAUNCH_SIGTERM_S = PROCESS_ENDS_S
"""``ros2 launch`` sends SIGTERM this long after it has interrupted all nodes."""
LAUNCH_SIGKILL_S = SIGTERM_S
"""``ros2 launch`` kills a node this long after SIGTERM."""


def exposure_shows_s(
    *exposures_us: float, longest_s: float = math.inf, answers_s: float = DRIVER_ANSWERS_S
) -> float:
    """How long to wait for a picture that shows a commanded exposure [s].

    Args:
        exposures_us: The exposure in progress, and the commanded one [us].
        longest_s: Longer exposures count as this long.
        answers_s: The time that the driver needs besides.
    """
    return answers_s + sum(min(us / 1e6, longest_s) for us in exposures_us)


def client_waits_s(agent_timeout_s: float, longest_exposure_us: float) -> float:
    """How long a client waits for the end of a goal that it cancelled [s].

    Args:
        agent_timeout_s: How long the focus server waits for an agent's answer.
        longest_exposure_us: The longest exposure that the camera may have had before the goal [us].
    """
    restores_s = exposure_shows_s(longest_exposure_us, longest_exposure_us, answers_s=DRIVER_RESTARTS_S)
    return GOAL_NOTICES_S + agent_timeout_s + restores_s + PICTURE_S + REPORT_S
