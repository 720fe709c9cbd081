"""The rounds of a soak: each hurts the graph in one way, and checks what was promised."""

from __future__ import annotations

import signal
from collections.abc import Callable

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState

from dasha_ros.msg import FocusState
from dasha_ros.soak.floods import Floods
from dasha_ros.soak.soak import ANSWER_S, END_S, Soak
from dasha_ros.soak.worlds import ABSENT, draw

Round = Callable[[Soak], None]

VICTIMS = (
    "focus_server",
    "high_level_agent",
    "low_level_agent",
    "perception",
    "camera_driver",
    "lens_driver",
    "twin_world",
)
BLOWS = ("KILL", "TERM", "INT", "STOP")
_PAUSE_S = 5.0
"""Longest time that a stopped process stays stopped."""
_CALL_S = 5.0
_FLOOD_S = 3.0
_SAID = "could not be restored"


def blow(victim: str, how: str, soak: Soak) -> None:
    """A node is killed, told to end or stopped for a while, somewhere in the middle of a goal."""
    graph, random, tally = soak.graph, soak.random, soak.tally
    what = f"SIG{how} to {victim}"
    graph.until_idle(END_S)
    before = graph.settings()
    goal = soak.send(ABSENT)
    phase = random.choice((FocusState.EXPOSING, FocusState.FOCUSING))
    graph.until(lambda: graph.phase == phase or goal.poll(), ANSWER_S)
    graph.wait(random.uniform(0.0, 0.8))
    tally.kills += 1
    graph.signal(victim, signal.Signals[f"SIG{how}"])
    if how == "STOP":
        graph.until(goal.poll, random.uniform(0.2, _PAUSE_S))
        graph.signal(victim, signal.SIGCONT)
    ending = soak.end_of(goal, END_S, what)
    tally.ended += ending is not None
    graph.until_active()
    if ending is not None and (_SAID in ending.message or soak.are_back(before)):
        tally.restored_or_said += 1
    else:
        soak.breaks(
            f"{what}: exposure and lens were at {before}, are at {graph.settings()}, and the goal "
            f"ended with {ending and ending.code}: {ending and ending.message}"
        )
    if victim == "twin_world" and how != "STOP":
        # A new world shows what its parameters say.
        soak.change_scene(soak.shown)
    tally.next_goal_ok += soak.finds_what_is_shown(what)


def scene_gone(soak: Soak) -> None:
    """The scene changes right after a success, and the same goal comes again at once."""
    if not soak.finds_what_is_shown("before a change of the scene"):
        return
    old = soak.shown
    soak.change_scene(draw(soak.random, other_than=old))
    ending = soak.end_of(soak.send(old.label), ANSWER_S, "a scene that changed")
    if ending is not None and ending.found:
        soak.tally.stale_successes += 1
        soak.breaks(
            f"found {old.label} ({ending.label}) after {old.scene} was replaced by {soak.shown.scene}"
        )


def cancelled(soak: Soak) -> None:
    """A goal is cancelled at any moment."""
    soak.graph.until_idle(END_S)
    before = soak.graph.settings()
    goal = soak.send(ABSENT)
    soak.graph.until(goal.poll, soak.random.uniform(0.05, 2.5))
    goal.cancel()
    ending = soak.end_of(goal, END_S, "a cancelled goal")
    if ending is not None and not (_SAID in ending.message or soak.are_back(before)):
        soak.breaks(f"a cancelled goal left {soak.graph.settings()} and not {before} ({ending.message})")


def burst(soak: Soak) -> None:
    """Several goals come while others are worked on; the newest decides."""
    goals = []
    for _ in range(soak.random.randint(2, 6)):
        goals.append(soak.send(soak.random.choice((ABSENT, soak.shown.label))))
        soak.graph.wait(soak.random.choice((0.0, 0.0, 0.1, 0.5)))
    for number, goal in enumerate(goals):
        soak.end_of(goal, ANSWER_S, f"goal {number + 1} of a burst of {len(goals)}")


def light_changed(soak: Soak) -> None:
    """The light changes in the middle of a goal."""
    goal = soak.send(soak.shown.label)
    soak.graph.until(goal.poll, soak.random.uniform(0.0, 1.0))
    soak.change_scene(soak.shown)
    soak.end_of(goal, ANSWER_S, "a change of light")


def transitions(soak: Soak) -> None:
    """A node gets random lifecycle transitions, valid and not, while a goal is worked on."""
    graph, random = soak.graph, soak.random
    name = random.choice(VICTIMS)
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
    """Lead a node to active from wherever it is."""
    for _ in range(3):
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
    """No report can be written; the goal is none of its business."""
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
    """The wall clock of all nodes is set, forth or back, in the middle of a goal."""
    if soak.clock is None:
        return
    goal = soak.send(soak.shown.label)
    for _ in range(soak.random.randint(1, 2)):
        soak.graph.until(goal.poll, soak.random.uniform(0.0, 0.6))
        soak.clock.step(soak.random.choice((-30.0, 30.0)))
    ending = soak.end_of(goal, ANSWER_S, "a wall clock that was set")
    if ending is not None and not ending.found:
        soak.breaks(f"a wall clock that was set ended a goal with {ending.code}: {ending.message}")


def hostile_flood(soak: Soak) -> None:
    """Strangers flood every topic during a goal and after it."""
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
    """A goal that nobody disturbs."""
    soak.finds_what_is_shown("an undisturbed goal")
