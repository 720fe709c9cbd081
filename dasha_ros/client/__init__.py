"""The focus server's client: what a robot program needs to ask for a focus, and nothing else.

::

    from dasha_ros.client import FocusClient

    with FocusClient() as client:
        print(client.focus("person", min_score=0.5, timeout=60.0).raise_for_error())

It has a thread, a node and a context of its own. So it needs no executor, blocks no executor's callbacks, and
can't deadlock: `FocusClient.focus` may be called anywhere, also in a callback that may take so long;
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
