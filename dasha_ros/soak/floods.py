"""Processes that flood a graph with hostile messages, and the rates that they reached."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

from rclpy.node import Node

from dasha_ros.ros.validation.hostile import TOPICS
from dasha_ros.ros.validation.publishers import publishers_of

RATE_HZ = 2000.0
"""Target rate of each topic; the machine decides which rate is reached."""
_PROCESSES = 2
"""A single Python process can't reach the rate."""
_START_S = 60.0
"""Extra time for a flood to end, because Python and the middleware have to start first."""


class Floods:
    """A flood that ends by itself. Use it as a context manager, which kills processes that are left."""

    def __init__(
        self, seconds: float, seed: int, rate_hz: float = RATE_HZ, namespace: str = "/dasha"
    ) -> None:
        """Start the flood.

        Args:
            seconds: Length of the flood.
            seed: Seed of the messages.
            rate_hz: Messages per second on each topic, of all processes together.
            namespace: Namespace of the graph.
        """
        self._seconds, names = seconds, [f"stranger_{number}" for number in range(_PROCESSES)]
        self._strangers = {f"{namespace}/{name}" for name in names}
        self._processes = [
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "dasha_ros.ros.validation.flood", "--namespace", namespace),
                    *("--name", name, "--seed", str(seed + number)),
                    *("--seconds", str(seconds), "--rate", str(rate_hz / _PROCESSES)),
                ],
                stdout=subprocess.PIPE,
                text=True,
            )
            for number, name in enumerate(names)
        ]

    def __enter__(self) -> Floods:
        """Return itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Kill the processes that are left."""
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()

    @property
    def longest_s(self) -> float:
        """Time after which the flood must have ended [s]."""
        return self._seconds + _START_S

    def is_seen_by(self, node: Node) -> bool:
        """Whether a node of the graph sees every process publish on its last topic."""
        return self._strangers <= set(publishers_of(node, TOPICS[-1][1]))

    def is_over(self) -> bool:
        """Whether all processes have ended."""
        return all(process.poll() is not None for process in self._processes)

    def rates_hz(self) -> dict[str, float]:
        """Messages per second that were sent on each topic; call it once, when the flood is over.

        Raises:
            RuntimeError: A process failed, so the rates are unknown.
        """
        sent: Counter[str] = Counter()
        for process in self._processes:
            said = process.communicate()[0]
            if process.returncode:
                raise RuntimeError(f"a process of the flood ended with {process.returncode}")
            try:
                # Libraries may have printed lines before.
                sent.update(json.loads(said.splitlines()[-1]))
            except (IndexError, ValueError):
                raise RuntimeError(f"a process of the flood printed {said!r} instead of its counts") from None
        return {topic: count / self._seconds for topic, count in sent.items()}
