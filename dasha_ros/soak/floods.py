"""Processes of strangers that flood a graph with hostile messages, and how fast they really were."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from types import TracebackType

from rclpy.node import Node

from dasha_ros.ros.validation.hostile import TOPICS
from dasha_ros.ros.validation.publishers import publishers_of

RATE_HZ = 2000.0
"""Wanted of each topic; the machine decides what is reached."""
_PROCESSES = 2
"""One process alone is kept from the rate by its own Python."""
_START_S = 60.0
"""Longest time beyond its own in which a flood has to end: Python and the middleware start first."""


class Floods:
    """A flood that ends by itself. Use it as a context manager: what is left of it is killed."""

    def __init__(
        self, seconds: float, seed: int, rate_hz: float = RATE_HZ, namespace: str = "/dasha"
    ) -> None:
        """Start to flood.

        Args:
            seconds: How long.
            seed: Of the messages.
            rate_hz: Messages of each topic in a second, of all processes together.
            namespace: Of the graph.
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
        """Flood on."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what has not ended."""
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()

    @property
    def longest_s(self) -> float:
        """Within this time it is over."""
        return self._seconds + _START_S

    def is_seen_by(self, node: Node) -> bool:
        """Whether a node of the graph sees every process publish on the last of the topics."""
        return self._strangers <= set(publishers_of(node, TOPICS[-1][1]))

    def is_over(self) -> bool:
        """Whether all processes ended."""
        return all(process.poll() is not None for process in self._processes)

    def rates_hz(self) -> dict[str, float]:
        """How many messages of each topic were sent in a second; to be asked once, when it is over.

        Raises:
            RuntimeError: A process failed; nothing is known of a flood then.
        """
        sent: Counter[str] = Counter()
        for process in self._processes:
            said = process.communicate()[0]
            if process.returncode:
                raise RuntimeError(f"a process of the flood ended with {process.returncode}")
            try:
                # Libraries may have printed before.
                sent.update(json.loads(said.splitlines()[-1]))
            except (IndexError, ValueError):
                raise RuntimeError(f"a process of the flood said {said!r}, and not what it sent") from None
        return {topic: count / self._seconds for topic, count in sent.items()}
