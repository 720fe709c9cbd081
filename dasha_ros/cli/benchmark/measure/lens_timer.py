"""Times the lens driver of a graph."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import numpy as np

from dasha_ros import msg
from dasha_ros.cli.benchmark.measure.commander import WARM_UP, Commander, quantiles
from dasha_ros.devices.varioptic.protocol import wire_seconds
from dasha_ros.emulators.latency import MOVE_BYTES
from dasha_ros.freshness.command import CommandId
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.conversions import id_from_msg
from dasha_ros.ros.transport.stamps import to_ns

QUIET_S = 0.1
"""Pause between two commands if there is no percept to wait for [s]."""


class LensTimer:
    """Times lens commands.

    Args:
        commander: Commands the graph.
    """

    def __init__(self, commander: Commander) -> None:
        self._commander = commander
        self._states: dict[CommandId, tuple[int, int]] = {}
        """Publication and arrival of the lens's first state after each command [ns]."""
        commander.actuators.listen(msg.LensState, "lens/state", self._on_lens, qos.STATE)

    def _on_lens(self, state: msg.LensState) -> None:
        self._states.setdefault(id_from_msg(state.command), (to_ns(state.header.stamp), time.time_ns()))
        self._commander.actuators.waiter.notify()

    def moves(self, count: int, *, with_percepts: bool = True) -> dict[str, Any]:
        """Time lens commands, from sending one to the state that confirms it.

        Args:
            count: Number of commands.
            with_percepts: Whether the graph has a camera and perception, which work after each command.

        Returns:
            - ``published_ms_p50``, ``published_ms_p95``: until the driver publishes the state, without
              the time of the bytes at 57600 baud
            - ``received_ms_p50``, ``received_ms_p95``: until this process has it, likewise
            - ``wire_ms``: that time

        Raises:
            GraphError: The lens does not answer.
        """
        commander, wire_ns = self._commander, wire_seconds(MOVE_BYTES) * 1e9
        published, received = [], []
        send = commander.actuators.send_position
        commander.meet(lambda: send(40.0), lambda sent: sent.id in self._states)
        for i, position in enumerate(np.linspace(30.0, 60.0, WARM_UP + count)):
            sent = send(float(position))
            commander.until(partial(self._states.__contains__, sent.id), "the lens driver does not answer")
            if i >= WARM_UP:
                published.append(self._states[sent.id][0] - sent.at_ns - wire_ns)
                received.append(self._states[sent.id][1] - sent.at_ns - wire_ns)
            if with_percepts:
                commander.rest(sent, 1)
            else:
                time.sleep(QUIET_S)
        return {
            **quantiles("published", published),
            **quantiles("received", received),
            "wire_ms": round(wire_ns / 1e6, 2),
        }
