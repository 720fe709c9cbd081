"""The rounds of a soak: each disturbs the graph in one way, and checks the promises."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState

from dasha_ros.msg import FocusState
from dasha_ros.soak.floods import Floods
from dasha_ros.soak.soak import ANSWER_S, Soak
from dasha_ros.soak.worlds import ABSENT, draw

Round = Callable[[Soak], None]

NODES = (
    "focus_server",
    "high_level_agent",
    "low_level_agent",
    "perception",
    "camera_driver",
    "lens_driver",
    "twin_world",
)
SIGNALS = ("KILL", "TERM", "INT", "STOP")
_PAUSE_S = 5.0
"""Longest time that a stopped process stays stopped."""
_GOAL_S = 10.0
"""Time of a goal that is disturbed: one that survives must end for this, not for having searched enough."""
_CALL_S = 5.0
_ACTIVE_S = 60.0
"""Perception may take this long to load its models on a busy computer."""
_FLOOD_S = 3.0
_SAID = "could not be restored"


def signal_node(node: str, how: str, soak: Soak) -> None:
    """Kill a node, end it, or stop it for a while, at some moment during a goal."""
    graph, random, tally = soak.graph, soak.random, soak.tally
    what = f"SIG{how} to {node}"
    graph.until_idle(soak.within_s)
    before = graph.settings()
    goal = soak.send(ABSENT, max_seconds=_GOAL_S)
    phase = random.choice((FocusState.EXPOSING, FocusState.FOCUSING))
    graph.until(lambda: graph.phase == phase or goal.poll(), ANSWER_S)
    graph.wait(random.uniform(0.0, 0.8))
    tally.kills += 1
    graph.signal(node, signal.Signals[f"SIG{how}"])
    if how == "STOP":
        graph.until(goal.poll, random.uniform(0.2, _PAUSE_S))
        graph.signal(node, signal.SIGCONT)
    ending = soak.end_of(goal, soak.within_s, what)
    tally.ended += ending is not None
    graph.until_active()
    if ending is not None and (_SAID in ending.message or soak.are_back(before)):
        tally.restored_or_said += 1
    else:
        soak.breaks(
            f"{what}: exposure and lens were at {before}, are at {graph.settings()}, and the goal "
            f"ended with {ending and ending.code}: {ending and ending.message}"
        )
    if node == "twin_world" and how != "STOP":
        # A restarted twin_world shows the world of its parameters.
        soak.change_scene(soak.shown)
    tally.next_goal_ok += soak.finds_what_is_shown(what)


def scene_gone(soak: Soak) -> None:
    """Change the scene right after a success, and send the same goal again at once."""
    if not soak.finds_what_is_shown("before a scene change"):
        return
    old = soak.shown
    soak.change_scene(draw(soak.random, other_than=old))
    ending = soak.end_of(soak.send(old.label), ANSWER_S, "after a scene change")
    if ending is not None and ending.found:
        soak.tally.stale_successes += 1
        soak.breaks(
            f"found {old.label} ({ending.label}) after {old.scene} was replaced by {soak.shown.scene}"
        )


def cancelled(soak: Soak) -> None:
    """Cancel a goal at a random moment."""
    soak.graph.until_idle(soak.within_s)
    before = soak.graph.settings()
    goal = soak.send(ABSENT)
    soak.graph.until(goal.poll, soak.random.uniform(0.05, 2.5))
    goal.cancel()
    ending = soak.end_of(goal, soak.within_s, "a cancelled goal")
    if ending is not None and not (_SAID in ending.message or soak.are_back(before)):
        soak.breaks(f"a cancelled goal left {soak.graph.settings()} and not {before} ({ending.message})")


def burst(soak: Soak) -> None:
    """Send goals while others are running; the newest one wins."""
    goals = []
    for _ in range(soak.random.randint(2, 6)):
        goals.append(soak.send(soak.random.choice((ABSENT, soak.shown.label))))
        soak.graph.wait(soak.random.choice((0.0, 0.0, 0.1, 0.5)))
    for number, goal in enumerate(goals):
        soak.end_of(goal, ANSWER_S, f"goal {number + 1} of a burst of {len(goals)}")


def light_changed(soak: Soak) -> None:
    """Change the light during a goal."""
    goal = soak.send(soak.shown.label)
    soak.graph.until(goal.poll, soak.random.uniform(0.0, 1.0))
    soak.change_scene(soak.shown)
    soak.end_of(goal, ANSWER_S, "after a change of light")


def transitions(soak: Soak) -> None:
    """Send a node random lifecycle transitions, valid and invalid ones, during a goal."""
    graph, random = soak.graph, soak.random
    name = random.choice(NODES)
    goal = soak.send(ABSENT)
    for _ in range(random.randint(3, 10)):
        number = random.choice((1, 2, 3, 4, 4, 3, 2, 1, 0, 9, 60, 255))
        request = ChangeState.Request(transition=Transition(id=number))
        graph.client.call(ChangeState, f"{name}/change_state", request, _CALL_S)
        graph.poll()
    soak.end_of(goal, ANSWER_S, f"transitions of {name}")
    if not bring_up(soak, name):
        soak.breaks(f"after random transitions {name} could not be activated again")


def bring_up(soak: Soak, name: str) -> bool:
    """Bring a node to active from any state; return whether that worked."""
    end = time.monotonic() + _ACTIVE_S
    while time.monotonic() < end:
        state = soak.graph.client.call(GetState, f"{name}/get_state", GetState.Request(), _CALL_S)
        label = state.current_state.label if state is not None else "unreachable"
        if label == "active":
            return True
        step = {"unconfigured": Transition.TRANSITION_CONFIGURE, "inactive": Transition.TRANSITION_ACTIVATE}
        if label in step:
            soak.graph.client.change_state(name, step[label], _CALL_S)
        else:
            soak.graph.wait(1.0)
    return False


def disk_full(soak: Soak) -> None:
    """Fill the disk of the reports; the goal must not be affected."""
    disk = soak.disk
    if disk.why_not:
        soak.tally.skipped["disk full"] = disk.why_not
        return
    disk.fill()
    try:
        soak.finds_what_is_shown("a full disk")
    finally:
        disk.free()


def clock_set(soak: Soak) -> None:
    """Set the wall clock of all nodes, forward or back, during a goal."""
    if soak.clock is None:
        return
    goal = soak.send(soak.shown.label)
    for _ in range(soak.random.randint(1, 2)):
        soak.graph.until(goal.poll, soak.random.uniform(0.0, 0.6))
        soak.clock.step(soak.random.choice((-30.0, 30.0)))
    ending = soak.end_of(goal, ANSWER_S, "setting the wall clock")
    if ending is not None and not ending.found:
        soak.breaks(f"setting the wall clock ended a goal with {ending.code}: {ending.message}")


def hostile_flood(soak: Soak) -> None:
    """Flood every topic from other processes, during a goal and after it."""
    graph, tally = soak.graph, soak.tally
    with Floods(_FLOOD_S, soak.random.randrange(1_000_000)) as flood:
        graph.until(lambda: flood.is_seen_by(graph.client.node) or flood.is_over(), flood.longest_s)
        soak.end_of(soak.send(ABSENT), ANSWER_S, "a goal in a flood")
        if graph.until(flood.is_over, flood.longest_s) is None:
            soak.breaks(f"a flood of {_FLOOD_S:g} s did not end within {flood.longest_s:g} s")
            return
        rate_hz = min(flood.rates_hz().values())
    tally.flood_hz = min(rate_hz, tally.flood_hz or rate_hz)
    soak.finds_what_is_shown("a flood of hostile messages")


def undisturbed(soak: Soak) -> None:
    """Send a goal without any fault."""
    soak.finds_what_is_shown("an undisturbed goal")
