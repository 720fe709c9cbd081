"""A goal's settings end with the goal, whichever process ends first: a driver against a simulated world."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dasha_ros.freshness.restorable import DISCOVERY_S, LOOK_S, RestorableValue, owner_id, parse_owner

OWNERS = ("/dasha/focus_server", "/dasha/high_level_agent", "/dasha/low_level_agent")


@dataclass
class Said:
    """An active value, and the process whose goal set it; `None` for a permanent value."""

    value: float
    process: bytes | None
    is_named: bool = False
    """Whether the command named the process, and not only its node."""


class World(RuleBasedStateMachine):
    """Processes that command, leave, are killed and restarted, and a driver that shuts down.

    It judges by its history alone: the last value that nobody's goal owned is the one to go back to.
    """

    @initialize(value=st.integers(1, 5))
    def start(self, value: int) -> None:
        self.now, self.number, self.names_known = 0.0, 0, True
        self.alive: dict[str, bytes] = {}
        self.name_of: dict[bytes, str] = {}
        self.seen: dict[str, set[bytes]] = {name: set() for name in OWNERS}
        self.history = [Said(value, None)]
        self.driver = RestorableValue(self.endpoints, lambda: self.now)
        for name in OWNERS:
            self.launch(name)

    def endpoints(self, owner: str) -> frozenset[bytes]:
        """What the graph shows: everything of the name, or, while names are not known, the one endpoint."""
        name, gid = parse_owner(owner)
        shown = self.seen[name]
        return frozenset(shown if self.names_known else shown & {gid or b""})

    @property
    def value(self) -> float:
        return self.history[-1].value

    @property
    def for_good(self) -> float:
        return next(said.value for said in reversed(self.history) if said.process is None)

    @rule(name=st.sampled_from(OWNERS))
    def launch(self, name: str) -> None:
        """A process starts and is discovered at once; the lease of a killed one may not have expired."""
        if name in self.alive:
            return
        self.number += 1
        self.alive[name] = self.number.to_bytes(16, "big")
        self.name_of[self.alive[name]] = name
        self.seen[name].add(self.alive[name])

    @rule(name=st.sampled_from(OWNERS), killed=st.booleans())
    def leave(self, name: str, killed: bool) -> None:
        process = self.alive.pop(name, None)
        if process is not None and not killed:
            self.seen[name].discard(process)

    @rule()
    def leases_run_out(self) -> None:
        for name in OWNERS:
            self.seen[name] &= {self.alive.get(name, b"")}

    @rule()
    def the_driver_was_stopped(self) -> None:
        """For longer than the leases: it sees every endpoint again, and does not learn whose it is."""
        owner = self.history[-1]
        # One that is known by its name alone counts as gone then: its goal is commanded for good or again.
        if owner.process is None or owner.is_named:
            self.names_known = False

    @rule(name=st.sampled_from(OWNERS), for_good=st.booleans(), value=st.integers(1, 5), named=st.booleans())
    def command(self, name: str, for_good: bool, value: int, named: bool) -> None:
        if name not in self.alive:
            return
        process = self.alive[name]
        if not named:
            if not self.names_known:
                return
            self.look()  # as drivers do all the time
        owner = owner_id(name, process) if named else name
        self.driver.commanded("" if for_good else owner, self.value)
        self.history.append(Said(value, None if for_good else process, named))

    @rule(seconds=st.floats(0.0, 2 * DISCOVERY_S))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def look(self) -> None:
        """The driver checks the graph at any time."""
        if self.driver.is_abandoned():
            owner = self.history[-1].process
            assert owner is not None
            assert owner not in self.alive.values(), "its owner lives"
            self.go_back()

    @rule()
    def the_driver_ends(self) -> None:
        self.go_back()

    def go_back(self) -> None:
        back = self.driver.end()
        if self.history[-1].process is None:
            assert back is None, "it is for good already"
            return
        assert back == self.for_good
        self.history.append(Said(back, None))

    @invariant()
    def nobody_leaves_anything_behind(self) -> None:
        """Once the graph shows that the owner is gone, the next check restores the value.

        While one of the owner's name that was killed before it is still shown, nobody can tell which of the
        two has gone: its lease runs out soon.
        """
        owner = self.history[-1].process
        if owner is None or any(owner in processes for processes in self.seen.values()):
            return
        is_named = self.history[-1].is_named
        if not is_named and any(older < owner for older in self.seen[self.name_of[owner]]):
            return
        if not is_named and not self.names_known:
            return
        # One that names itself and left before it was ever seen has the time of discovery.
        self.now += DISCOVERY_S + LOOK_S
        self.look()
        assert self.history[-1].process is None


World.TestCase.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
TestWorld = World.TestCase


def test_a_restarted_owner_is_a_new_owner() -> None:
    """Its lease has not expired, so both are in the graph: the driver does not wait."""
    there, now = {b"old"}, [0.0]
    driver = RestorableValue(lambda _: frozenset(there), lambda: now[0])
    driver.commanded(OWNERS[0], 40.0)
    now[0] += LOOK_S
    assert not driver.is_abandoned()
    there.add(b"new")
    now[0] += LOOK_S
    assert driver.is_abandoned()
    assert driver.end() == 40.0


def test_a_new_process_commands_before_the_driver_noticed_that_the_old_one_was_killed() -> None:
    """What the old one left behind is not restored in the new one's goal, but by the end of that goal."""
    old, new, now = b"old-process-1234", b"new-process-5678", [0.0]
    there = {old}
    driver = RestorableValue(lambda _: frozenset(there), lambda: now[0])
    driver.commanded(owner_id(OWNERS[0], old), 40.0)
    there.add(new)
    driver.commanded(owner_id(OWNERS[0], new), 55.0)
    for _ in range(3):
        now[0] += LOOK_S
        assert not driver.is_abandoned()
    there.discard(old)  # its lease runs out
    now[0] += LOOK_S
    assert not driver.is_abandoned()
    there.clear()
    now[0] += LOOK_S
    assert driver.is_abandoned()
    assert driver.end() == 40.0


def test_an_owner_that_names_no_publisher_is_known_by_its_node() -> None:
    gid = bytes(range(16))
    assert parse_owner(owner_id(OWNERS[0], gid)) == (OWNERS[0], gid)
    for owner in (OWNERS[0], f"{OWNERS[0]}#5f3a09c2", f"{OWNERS[0]}#{'xy' * 16}"):
        assert parse_owner(owner) == (OWNERS[0], None)


def test_an_owner_has_time_to_be_discovered() -> None:
    there, now = set[bytes](), [0.0]
    driver = RestorableValue(lambda _: frozenset(there), lambda: now[0])
    driver.commanded(OWNERS[0], 40.0)
    now[0] += DISCOVERY_S - 0.1
    assert not driver.is_abandoned()
    there.add(b"late")
    now[0] += LOOK_S
    assert not driver.is_abandoned()
    there.clear()
    now[0] += LOOK_S
    assert driver.is_abandoned()
    nobody = RestorableValue(lambda _: frozenset(), lambda: now[0])
    nobody.commanded(OWNERS[0], 40.0)
    now[0] += DISCOVERY_S
    assert nobody.is_abandoned()


def test_the_value_found_at_opening_is_restored_if_none_was_known() -> None:
    driver = RestorableValue(lambda _: frozenset({b"it"}), lambda: 0.0)
    driver.commanded(OWNERS[0], None)
    driver.found(24.4)
    driver.found(60.0)
    assert driver.end() == 24.4


def test_the_graph_is_not_checked_all_the_time() -> None:
    looks, now = [0], [0.0]

    def look(_: str) -> frozenset[bytes]:
        looks[0] += 1
        return frozenset({b"it"})

    driver = RestorableValue(look, lambda: now[0])
    for _ in range(1000):
        driver.is_abandoned()
    assert looks == [0]
    driver.commanded(OWNERS[0], 40.0)
    for _ in range(1000):
        now[0] += 0.01
        driver.commanded(OWNERS[0], 41.0)
        driver.is_abandoned()
    assert looks[0] <= 1 + 10.0 / LOOK_S + 1
