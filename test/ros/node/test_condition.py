"""The status of a node is a function of its active conditions, whatever happened before."""

from __future__ import annotations

import socket
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rclpy", reason="rclpy is not installed: scripts/setup installs it")

from chart import Chart

from dasha_ros.config import NODES
from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.ros.driver_nodes.device_worker import ERRORS_IN_A_ROW, DeviceWorker
from dasha_ros.ros.node.condition import Condition, Level, failure, summary, warning
from dasha_ros.system.paths import config_dir

CAUSES = ("device", "faults", "settings", "world")
sentences = st.sampled_from(("too hot", "too cold", "gone"))
troubles = st.builds(Condition, st.sampled_from((Level.WARN, Level.ERROR)), sentences)
events = st.one_of(
    st.tuples(st.just("set"), st.sampled_from(CAUSES), troubles),
    st.tuples(st.just("clear"), st.sampled_from(CAUSES), st.none()),
    # The state behind a watched condition, which wins over a condition set for the same cause.
    st.tuples(st.just("becomes"), st.sampled_from(("faults", "lens")), st.none() | troubles),
    st.tuples(st.just("set_activity"), st.just(""), sentences),
    st.tuples(st.just("count"), st.just("frames"), st.none()),
    st.tuples(st.just("second"), st.just(""), st.none()),
)


def expected(state: dict[str, Condition], activity: str | None) -> tuple[int, set[str]]:
    """The expected level and sentences, by the simplest rule."""
    level = max((c.level for c in state.values()), default=Level.OK)
    if level:
        return level, {c.sentence for c in state.values()}
    return (Level.STALE, {"starting"}) if activity is None else (Level.OK, {activity})


@given(st.lists(events, max_size=40))
def test_the_status_is_a_function_of_the_active_conditions(happens: list[tuple[str, str, Any]]) -> None:
    chart = Chart()
    lens: dict[str, Condition | None] = {"faults": None, "lens": None}
    chart.watch("faults", lambda: lens["faults"])
    chart.watch("lens", lambda: lens["lens"])
    events_set: dict[str, Condition] = {}
    activity: str | None = None
    published_at: list[float] = []
    for what, cause, value in happens:
        before = len(chart.published)
        if what == "set":
            events_set[cause] = value
            (chart.warn if value.level == Level.WARN else chart.error)(cause, value.sentence)
        elif what == "clear":
            events_set.pop(cause, None)
            chart.clear(cause)
        elif what == "becomes":
            lens[cause] = value
            chart.update()
        elif what == "set_activity":
            activity = value
            chart.set_activity(value)
        elif what == "count":
            chart.count(cause)
        else:
            chart.now_s += 1.0
            chart.publish()
        published_at += [chart.now_s] * (len(chart.published) - before)
        state = events_set | {c: v for c, v in lens.items() if v is not None}
        level, words = expected(state, activity)
        assert chart.status().level == level
        assert set(chart.status().sentence.split("; ")) == words
        if what != "count" and published_at.count(chart.now_s) <= 10:
            # A change of level is published at once, unless it flaps.
            told = chart.published[-1].level if chart.published else bytes([Level.STALE])
            assert told == bytes([level])
        if what == "second":
            assert set(chart.published[-1].message.split("; ")) == words


def test_the_worst_comes_first_and_no_sentence_is_repeated() -> None:
    standing = {"a": warning("warm"), "b": failure("lost"), "c": warning("warm")}
    assert summary(standing, "looking") == (Level.ERROR, "lost; warm")


def test_values_are_current() -> None:
    chart, state = Chart(), {"position": 24.0}
    chart.show("lens", lambda: dict(state))
    chart.show("device", lambda: {"hardware_id": "fake lens", "position": -1.0})
    for position in (24.0, 51.0):
        state["position"] = position
        chart.publish()
        shown = {v.key: v.value for v in chart.published[-1].values}
        assert shown["position"] == f"{position:g}"
        assert "hardware_id" not in shown
        assert chart.published[-1].hardware_id == "fake lens"


def test_a_condition_that_can_not_be_read_hides_no_other() -> None:
    chart = Chart()
    chart.set_activity(lambda: 1 / 0)
    chart.watch("faults", lambda: 1 / 0)
    chart.show("lens", lambda: {"position": 1 / 0})
    chart.show("camera", lambda: {"gain_db": 6.0})
    chart.warn("settings", "the gain is clipped")
    chart.publish()
    status = chart.published[-1]
    assert status.level == bytes([Level.ERROR])
    assert "ZeroDivisionError" in status.message
    assert "the gain is clipped" in status.message
    assert {v.key: v.value for v in status.values}["gain_db"] == "6"


def test_a_flapping_cause_floods_neither_topic_nor_log() -> None:
    chart = Chart()
    chart.set_activity("looking")
    for i in range(1000):
        chart.warn("picture", f"image skipped: {i}")
        chart.clear("picture")
    assert len(chart.published) <= 10
    assert len(chart.logged) == 1
    chart.now_s += 1.0
    chart.publish()
    assert chart.published[-1].level == bytes([Level.OK])


class Watched:
    """A device with scripted events. Before each call the status follows from the past."""

    def __init__(self, happens: list[tuple[str, str]]) -> None:
        self._happens, self.chart = list(happens), Chart()
        self.chart.set_activity("open")
        self.chart.watch("faults", lambda: failure("overload") if self.faults else None)
        self.faults = False
        self.device: Condition | None = None
        self._in_a_row = 0
        self.worker = DeviceWorker("device", self, self.chart, lambda: None)
        self.worker._stop = self  # type: ignore[assignment]

    def is_set(self) -> bool:
        self.check()
        return not self._happens

    def set(self) -> None:
        self._happens.clear()

    def wait(self, seconds: float) -> None:
        self.check()

    def check(self) -> None:
        level, words = expected(
            {
                str(i): c
                for i, c in enumerate((self.device, failure("overload") if self.faults else None))
                if c
            },
            "open",
        )
        assert (self.chart.status().level, set(self.chart.status().sentence.split("; "))) == (level, words)

    def open(self) -> None:
        what, words = self._happens.pop(0) if self._happens else ("works", "")
        self._in_a_row = 0
        if what == "lost":
            self._lose(words)
        self.device = None

    def work(self) -> bool:
        self.check()
        if not self._happens:
            return False
        what, words = self._happens.pop(0)
        if what == "lost":
            self._lose(words)
        if what == "error":
            self._in_a_row += 1
            if self._in_a_row == ERRORS_IN_A_ROW:
                said = f"{words} ({ERRORS_IN_A_ROW} errors in a row: reopening it)"
                self.device = failure(f"{said} (trying again)")
            else:
                self.device = warning(words)
            raise DeviceError(words)
        if what == "faults":
            self.faults = not self.faults
        if what == "works":
            self.device, self._in_a_row = None, 0
        return what == "works"

    def _lose(self, words: str) -> None:
        self.device = failure(f"{words} (trying again)")
        raise DeviceLost(words)

    def facts(self) -> dict[str, Any]:
        return {}

    def lost(self, reason: str) -> None:
        self.check()

    def leave(self) -> None:
        self.check()

    def close(self) -> None:
        pass


@given(
    st.lists(st.tuples(st.sampled_from(("works", "idle", "error", "lost", "faults")), sentences), max_size=40)
)
def test_the_status_of_a_driver_is_a_function_of_its_device(happens: list[tuple[str, str]]) -> None:
    device = Watched(happens)
    device.worker._run()
    assert device.chart.count("internal_errors", by=0) == 0


def test_a_node_without_a_device_names_the_computer() -> None:
    chart = Chart()
    chart.publish()
    assert chart.published[-1].hardware_id == socket.gethostname()
    chart.show("device", lambda: {"hardware_id": ""})
    chart.publish()
    assert chart.published[-1].hardware_id == socket.gethostname()


@pytest.mark.parametrize("namespace", ["", "dasha/", "robot_1/left/"])
def test_every_node_falls_into_one_group_of_the_aggregator(namespace: str) -> None:
    """GenericAnalyzer's rule: a status belongs to the group one of whose ``contains`` is in its name."""
    content = yaml.safe_load((config_dir() / "diagnostic_aggregator.yaml").read_text())
    parameters = content["analyzers"]["ros__parameters"]
    groups = {name: group for name, group in parameters.items() if isinstance(group, dict)}
    for group in groups.values():
        assert group["type"] == "diagnostic_aggregator/GenericAnalyzer"
        assert group.keys() == {"type", "path", "contains", "timeout"}
        assert isinstance(group["timeout"], float)
    for node in NODES:
        name = f"{namespace}{node}"
        found = [key for key, group in groups.items() if any(part in name for part in group["contains"])]
        assert len(found) == 1, f"{node}: {found}"
