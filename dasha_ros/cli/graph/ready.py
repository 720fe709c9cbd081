"""Waits until a graph that a command started is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dasha_ros.bringup.session import Session


class GraphError(Exception):
    """The graph did not come up or did not answer."""


def wait_until_active(session: Session, seconds: float) -> None:
    """Wait until all nodes are active.

    Args:
        session: The graph's processes.
        seconds: How long to wait at most, from the start of the session [s].

    Raises:
        GraphError: A node ended, or the time is up.
    """
    while True:
        active, ended = session.poll()
        if ended:
            last = "\n".join(ended[0].last_lines[-5:])
            raise GraphError(f"{ended[0].name} ended while the graph came up:\n{last}")
        if active:
            return
        if session.seconds > seconds:
            states = ", ".join(f"{n} is {s}" for n, s in session.node_states().items() if s != "active")
            raise GraphError(f"after {seconds:g} s not all nodes are active: {states}; see `dasha doctor`")
