"""What tests of ROS nodes share: a domain of their own, processes that end, waiting with a deadline.

Tests get it through the fixtures of ``conftest.py``: ``ros_env`` (a free domain),
``spawn`` (processes that are gone at the end) and ``probe`` (a node to look with).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from middleware_stops import waits

from dasha_ros.bringup.environment import profile_of

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 90.0
"""How long a test waits for another process: discovery usually takes 0.3 s, at worst 3 s, more under load."""

T = TypeVar("T")


_commands = itertools.count(1)
CHILDREN: set[Child] = set()
"""The processes of the tests that run now."""


def command(kind: Any, *, sender: str = "the test", **fields: Any) -> Any:
    """An exposure or lens command, newer than all before."""
    made = kind(**fields)
    made.id.sender, made.id.sequence = sender, next(_commands)
    return made


def wait_for(condition: Callable[[], T], what: str, timeout_s: float = PATIENCE_S) -> T:
    """Return the first true value of ``condition``; fail with ``what`` after ``timeout_s``."""
    end = time.monotonic() + timeout_s
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout_s:g} s for {what}")
        time.sleep(0.02)
    return value


class Child:
    """A process of a test: its output is kept, and it always ends."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], errors: Path | None = None) -> None:
        """Start it. Its stderr goes into the file ``errors`` if there is one, and else into its output."""
        self.command = list(command)
        self.lines: list[str] = []
        with errors.open("w") if errors else contextlib.nullcontext(subprocess.STDOUT) as stderr:
            self._popen = subprocess.Popen(
                self.command,
                env={**os.environ, "PYLON_CAMEMU": "0", **env},  # no other test's emulated cameras
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        CHILDREN.add(self)

    def _read(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    @property
    def returncode(self) -> int | None:
        return self._popen.poll()

    def wait_for_output(self, text: str, timeout_s: float = PATIENCE_S) -> str:
        """Return the first line that contains ``text``."""

        def line() -> str | None:
            found = next((x for x in list(self.lines) if text in x), None)
            if found is None and self.returncode is not None and not self._reader.is_alive():
                raise AssertionError(
                    f"{self.command} ended with {self.returncode} without {text!r}:\n{self.output}"
                )
            return found

        try:
            found = wait_for(line, f"{text!r} from {self.command}", timeout_s)
        except AssertionError as error:
            raise AssertionError(
                f"{error}; its output:\n{self.output}\nits threads wait for:\n{waits(self.pid)}"
            ) from None
        assert found is not None
        return found

    def send(self, number: int) -> None:
        """Send a signal to the process."""
        self._popen.send_signal(number)

    def wait(self, timeout_s: float = PATIENCE_S) -> int:
        """Wait for the end and return the exit code."""
        try:
            code = self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.command} still runs; its output:\n{self.output}") from None
        self._reader.join(timeout_s)
        return code

    def stop(self, number: int = signal.SIGINT, timeout_s: float = PATIENCE_S) -> int:
        """Ask the process to end and return its exit code."""
        if self.returncode is None:
            self.send(number)
        return self.wait(timeout_s)

    def kill(self, after_s: float = 0.0) -> None:
        """End the process and everything it started, at once or when it had some time to end by itself."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(after_s)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        self._reader.join(1.0)
        CHILDREN.discard(self)


class Spawner:
    """Starts processes of one test, in the test's domain, and ends them with it."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = dict(env)
        self.children: list[Child] = []

    def __call__(
        self, *command: str, env: Mapping[str, str] | None = None, errors: Path | None = None
    ) -> Child:
        """Start a command."""
        child = Child(command, {**self.env, **(env or {})}, errors)
        self.children.append(child)
        return child

    def python(self, *arguments: str, env: Mapping[str, str] | None = None) -> Child:
        """Start this Python with arguments; what it publishes may be full frames.

        A node's module gets the node's own settings of the middleware.
        """
        module = next((a for a in arguments if a.startswith("dasha_ros.nodes.")), ".camera_driver")
        profile = profile_of(module.rpartition(".")[2], {})
        return self(sys.executable, *arguments, env={**profile, **(env or {})})

    def dasha(self, *arguments: str, errors: Path | None = None) -> Child:
        """Start the ``dasha`` command, in a user's plain environment."""
        return self(sys.executable, "-m", "dasha_ros.cli", *arguments, errors=errors)

    def node(
        self,
        name: str,
        parameters: Mapping[str, Any] | None = None,
        namespace: str = "/dasha",
        env: Mapping[str, str] | None = None,
    ) -> Child:
        """Start a node of this package as ``python -m dasha_ros.nodes.NAME``."""
        arguments = ["--ros-args", "-r", f"__ns:={namespace}"]
        for key, value in (parameters or {}).items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            arguments += ["-p", f"{key}:={text}"]
        return self.python("-m", f"dasha_ros.nodes.{name}", *arguments, env=env)

    def end(self) -> None:
        """Interrupt all, then kill what does not end within two seconds."""
        for child in self.children:
            if child.returncode is None:
                child.send(signal.SIGINT)
        end = time.monotonic() + 2.0
        for child in self.children:
            child.kill(after_s=max(0.0, end - time.monotonic()))


class Probe:
    """A node that looks at a graph from the test process, spun by the test itself."""

    def __init__(self, domain: int, namespace: str = "/dasha") -> None:
        import rclpy
        from rclpy.executors import SingleThreadedExecutor

        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node(f"probe_{os.getpid()}", namespace=namespace, context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)

    def close(self) -> None:
        """Leave the graph."""
        self.executor.shutdown()
        self.node.destroy_node()
        self.context.try_shutdown()

    def subscribe(self, kind: Any, topic: str, qos: Any) -> list[Any]:
        """A list that grows with the messages of a topic while the probe spins."""
        messages: list[Any] = []
        self.node.create_subscription(kind, topic, messages.append, qos)
        return messages

    def publisher(self, kind: Any, topic: str, qos: Any, matched: int = 1) -> Any:
        """A publisher that ``matched`` subscriptions listen to already."""
        publisher = self.node.create_publisher(kind, topic, qos)
        self.until(lambda: publisher.get_subscription_count() >= matched, f"a listener on {topic}")
        return publisher

    def until(self, condition: Callable[[], T], what: str, timeout_s: float = PATIENCE_S) -> T:
        """Spin until ``condition`` returns a true value, and return it."""
        end = time.monotonic() + timeout_s
        while not (value := condition()):
            if time.monotonic() > end:
                raise AssertionError(f"waited {timeout_s:g} s for {what}")
            self.executor.spin_once(timeout_sec=0.05)
        return value

    def spin(self, seconds: float) -> None:
        """Spin for a while: only to show that something does *not* happen."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.executor.spin_once(timeout_sec=left)

    def result(self, future: Any, what: str, timeout_s: float = PATIENCE_S) -> Any:
        """Spin until a future is done and return its result."""
        self.until(future.done, what, timeout_s)
        return future.result()

    def call(self, kind: Any, service: str, request: Any, timeout_s: float = PATIENCE_S) -> Any:
        """Call a service once it is there and return its answer; asks again when it stays silent."""
        from dasha_ros.ros.transport.retrying_call import RetryingCall

        client = self.node.create_client(kind, service)
        try:
            self.until(client.service_is_ready, f"service {service}", timeout_s)
            return self.until(RetryingCall(client, request).answer, f"an answer of {service}", timeout_s)
        finally:
            self.node.destroy_client(client)

    def lifecycle_state(self, node: str, timeout_s: float = PATIENCE_S) -> str:
        """The lifecycle state of a node by name: ``active``, ``inactive``, ..."""
        from lifecycle_msgs.srv import GetState

        answer = self.call(GetState, f"{node}/get_state", GetState.Request(), timeout_s)
        return str(answer.current_state.label)

    def _is_active(self, node: str) -> bool:
        try:
            return self.lifecycle_state(node, timeout_s=2.0) == "active"
        except AssertionError:
            # The question went to a killed process that discovery has not forgotten yet.
            return False

    def until_active(self, *nodes: str, timeout_s: float = PATIENCE_S) -> None:
        """Wait until all these nodes are active."""
        for node in nodes:
            self.until(lambda n=node: self._is_active(n), f"{node} to be active", timeout_s)

    def set_parameter(self, node: str, name: str, value: Any) -> Any:
        """Set one parameter of a node; the answer has ``successful`` and ``reason``."""
        from rcl_interfaces.srv import SetParameters
        from rclpy.parameter import Parameter

        request = SetParameters.Request(parameters=[Parameter(name, value=value).to_parameter_msg()])
        return self.call(SetParameters, f"{node}/set_parameters", request).results[0]


@contextlib.contextmanager
def in_threads(probe: Probe, threads: int = 4) -> Iterator[None]:
    """Serve the probe's node from other threads, for code that blocks. The probe can't spin meanwhile."""
    from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor

    probe.executor.remove_node(probe.node)
    executor = MultiThreadedExecutor(threads, context=probe.context)
    executor.add_node(probe.node)

    def spin() -> None:
        with contextlib.suppress(ExternalShutdownException):
            executor.spin()

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        yield
    finally:
        executor.shutdown()
        thread.join(PATIENCE_S)
