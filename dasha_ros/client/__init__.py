"""Floor 10. The client of the focus server: all that a robot program needs.

::

    from dasha_ros.client import FocusClient

    with FocusClient() as client:
        print(client.focus("person", min_score=0.5, timeout=60.0).raise_for_error())

The client has its own thread, node and context. It needs no executor, blocks no callbacks, and can't
deadlock: `FocusClient.focus` may be called anywhere, even in a callback that may block that long;
`FocusClient.focus_async` is awaited in a coroutine callback of a node, or in asyncio.
"""

from __future__ import annotations

from dasha_ros.client.focus_client import FocusClient
from dasha_ros.client.outcome import (
    DeadlineError,
    FocusError,
    FocusFailedError,
    FocusResult,
    GoalRejectedError,
    NoServerError,
    Phase,
    Progress,
    ServerLostError,
)
from dasha_ros.client.task import FocusTask

__all__ = [
    "DeadlineError",
    "FocusClient",
    "FocusError",
    "FocusFailedError",
    "FocusResult",
    "FocusTask",
    "GoalRejectedError",
    "NoServerError",
    "Phase",
    "Progress",
    "ServerLostError",
]
