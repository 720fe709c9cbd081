"""Fixtures of several rooms: for tests that speak ROS (see ``ros_harness``), and for short trainings."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))

from middleware_stops import excuse, too_many
from ros_domains import free_domain, ros_environment
from ros_harness import CHILDREN, Probe, Spawner

from dasha_ros.assets.catalogue import AssetMissing, asset

# A shell lets what it starts in the background ignore Ctrl-C, and so would every process of these tests.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A property is true or false, however long a busy machine takes over an example. The same examples
# every time, so that a failure belongs to the change at hand; --hypothesis-profile=search draws others.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("steady", PATIENT, derandomize=True)
settings.register_profile("search", PATIENT)
settings.load_profile("steady")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no worker waits at the end for the one that has them.

    The order within a file, and among the files of each kind, stays.
    """
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Report a test that failed because of Fast DDS's own fault as an expected failure."""
    report = yield
    # Some tests let a node wait for ever, to see that it ends.
    meant = [child for child in CHILDREN if any("stuck_node.py" in word for word in child.command)]
    if report.failed and not meant and (why := excuse((child.pid, child.output) for child in CHILDREN)):
        report.outcome, report.wasxfail = "skipped", why
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in which too many failures were excused."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    excused = reporter.stats.get("xfailed", []) if reporter else []
    if session.exitstatus == pytest.ExitCode.OK and too_many(report.wasxfail for report in excused):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def few_episodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evaluations while training of 20 episodes instead of 400."""
    from dasha_ros.learning.training import agents

    for name in ("score_focus", "score_exposure"):
        monkeypatch.setattr(agents, name, partial(getattr(agents, name), episodes=20))


@pytest.fixture
def ros_env(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The environment of a graph of the test's own, set for this process and its children."""
    if importlib.util.find_spec("rclpy") is None:
        pytest.skip("rclpy is not installed: scripts/setup installs it")
    with free_domain() as domain:
        env = ros_environment(domain)
        for key, value in env.items():
            monkeypatch.setenv(key, value)
        yield env


@pytest.fixture
def spawn(ros_env: dict[str, str]) -> Iterator[Spawner]:
    """Starts processes that are gone when the test ends."""
    spawner = Spawner(ros_env)
    yield spawner
    spawner.end()


@pytest.fixture
def probe(ros_env: dict[str, str]) -> Iterator[Probe]:
    """A node in the test process, in the namespace /dasha, on the test's domain."""
    node = Probe(int(os.environ["ROS_DOMAIN_ID"]))
    yield node
    node.close()


@pytest.fixture(scope="session")
def fetched() -> Callable[[str], Path]:
    """Path of a fetched or converted file; the test is skipped where it is missing."""

    def find(name: str) -> Path:
        try:
            return asset(name)
        except AssetMissing as error:
            pytest.skip(str(error))

    return find
