"""How long each part of an ending may take, from the innermost wait to the whole graph.

Whoever waits for an ending has more patience than all that happens inside it takes together: otherwise a
node is cut off while it brings a lens back. So no limit is a number of its own that could not be one of the
few at the top; all others are sums. Real time, in seconds.
"""

from __future__ import annotations

import math

WORD_ARRIVES_S = 0.5
"""What a node says last has been heard by all who listen, unless they are stopped."""
GOAL_LOOKS_UP_S = 1.0
"""A goal that is told to end notices: it looks up every 50 ms while it waits, and a policy decides sooner."""
DRIVER_ANSWERS_S = 2.0
"""A driver takes up a command, on top of the exposures that its picture needs."""
EXPOSURE_S = 1.0
"""The longest exposure that agents command. Who ends waits for no longer one: its driver knows of it."""
DRIVER_RESTARTS_S = 6.0
"""A driver that died is started again, and speaks: whoever brings an actuator back waits for that, unless it
has to end itself."""
PICTURE_S = 0.5
"""The annotated picture of the last step follows its percept."""
REPORT_S = 1.0
"""The report of a goal is written."""
TRAINER_YIELDS_S = 2.0
"""The trainer has set the scene of an episode that it had begun with, when a goal of somebody else comes."""
LEARNER_STOPS_S = 10.0
"""A learner ends its step and its update."""
DEVICE_CALL_S = 10.0
"""No call to a device that is there takes longer."""
CLEAN_UP_S = 1.0
"""A node leaves its topics and gives back what it holds, once its work has ended."""
PYTHON_LEAVES_S = 2.0
"""An interpreter goes when all is done: its libraries have their own goodbyes."""
SIGNAL_WORKS_S = 2.0
"""A signal that no process can refuse, or that interrupts all waiting, has worked."""
STILL_LOADS_S = 2.0
"""A node that loads after so long is left as it is when it is told to end: it has not worked yet."""

AGENT_RESTORES_S = DRIVER_ANSWERS_S + 2 * EXPOSURE_S
"""An agent's actuator is back: the exposure in progress, and one that shows the old setting."""
AGENT_GOAL_ENDS_S = GOAL_LOOKS_UP_S + AGENT_RESTORES_S
"""A goal of an agent that is told to end has its result."""
SERVER_RESTORES_S = AGENT_RESTORES_S
"""The focus server has brought the lens and, at the same time, the exposure back."""
SERVER_GOAL_ENDS_S = GOAL_LOOKS_UP_S + AGENT_GOAL_ENDS_S + SERVER_RESTORES_S + PICTURE_S + REPORT_S
"""A goal of the focus server that is told to end has its result."""
DRIVER_RESTORES_S = DRIVER_ANSWERS_S + WORD_ARRIVES_S
"""A driver that is told to end in a goal brings its own actuator back."""
DRIVER_STOPS_S = DEVICE_CALL_S + DRIVER_RESTORES_S
"""A driver ends the call in hand, brings its actuator back, and has given its device back."""
TRAINER_STOPS_S = GOAL_LOOKS_UP_S + SERVER_GOAL_ENDS_S
"""The trainer has cancelled its goal, and the goal has ended."""

NODE_ENDS_S = CLEAN_UP_S + max(
    SERVER_GOAL_ENDS_S, LEARNER_STOPS_S + AGENT_GOAL_ENDS_S, DRIVER_STOPS_S, TRAINER_STOPS_S
)
"""Any node has cleaned up; one that has not is cut off."""
STUCK_S = NODE_ENDS_S + CLEAN_UP_S
"""A library that keeps Python's lock keeps a node from cutting itself off: then the kernel's timer does."""
PROCESS_ENDS_S = STUCK_S + PYTHON_LEAVES_S
"""The process of any node is gone after the first SIGINT."""
SIGTERM_S = SIGKILL_S = SIGNAL_WORKS_S
"""Patience after each further signal."""

HURRIED_S = DRIVER_RESTORES_S + CLEAN_UP_S + PYTHON_LEAVES_S
"""All processes at once are given so long by somebody who does not want to wait: drivers that answer have
brought their actuators back."""

LAUNCH_SIGTERM_S = PROCESS_ENDS_S
"""``ros2 launch`` interrupts all nodes at once, and sends SIGTERM after so long."""
LAUNCH_SIGKILL_S = SIGTERM_S
"""``ros2 launch`` kills a node so long after SIGTERM."""


def exposure_shows_s(
    *exposures_us: float, longest_s: float = math.inf, answers_s: float = DRIVER_ANSWERS_S
) -> float:
    """How long to wait until a picture shows that the camera's driver took up an exposure [s].

    Args:
        exposures_us: The one in progress, and the one commanded [us].
        longest_s: As an exposure of so long is any longer one counted.
        answers_s: What the driver needs beside them.
    """
    return answers_s + sum(min(us / 1e6, longest_s) for us in exposures_us)


def client_waits_s(agent_timeout_s: float, longest_exposure_us: float) -> float:
    """How long a client waits for the end of a goal that it cancelled [s].

    Args:
        agent_timeout_s: What the focus server grants an agent to react.
        longest_exposure_us: Of the exposures that a camera may have been set to before the goal [us].
    """
    restores_s = exposure_shows_s(longest_exposure_us, longest_exposure_us, answers_s=DRIVER_RESTARTS_S)
    return GOAL_LOOKS_UP_S + agent_timeout_s + restores_s + PICTURE_S + REPORT_S
