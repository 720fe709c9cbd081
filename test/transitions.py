"""Requests of lifecycle transitions, and clients that a node has discovered before they ask it for something.

A node that has not discovered a client 100 ms after its request drops the answer (``RetryingCall``). Most
requests may be repeated then. A transition and a goal may not: the second one finds another state.
"""

from __future__ import annotations

from typing import Any

from ros_harness import Probe

NONSENSE = 255
"""No transition has this number, so whoever is asked for it answers and does nothing."""


def until_discovered(probe: Probe, node: str) -> None:
    """Wait until a node has discovered what the probe has made so far, as the clients of its actions."""
    from diagnostic_msgs.msg import DiagnosticArray

    from dasha_ros.ros.transport import qos

    # Made last: a node that is heard here has discovered what was made before.
    told = probe.subscribe(DiagnosticArray, "/diagnostics", qos.DIAGNOSTICS)
    name = f"dasha/{node}"
    probe.until(lambda: any(s.name == name for a in told for s in a.status), f"a word of {node}")


def changer(probe: Probe, node: str) -> Any:
    """A client of a node's ``change_state``, whose requests the node answers for sure."""
    from lifecycle_msgs.msg import Transition
    from lifecycle_msgs.srv import ChangeState

    from dasha_ros.ros.transport.retrying_call import RetryingCall

    client = probe.node.create_client(ChangeState, f"{node}/change_state")
    probe.until(client.service_is_ready, f"{node}/change_state")
    nonsense = RetryingCall(client, ChangeState.Request(transition=Transition(id=NONSENSE)))
    assert not probe.until(nonsense.answer, f"an answer of {node}").success
    nonsense.close()
    return client


def change_state(probe: Probe, node: str, transition: int) -> bool:
    """Ask a node for a transition, once; whether it went well."""
    from lifecycle_msgs.msg import Transition
    from lifecycle_msgs.srv import ChangeState

    client = changer(probe, node)
    try:
        request = ChangeState.Request(transition=Transition(id=transition))
        return bool(probe.result(client.call_async(request), f"an answer of {node}").success)
    finally:
        probe.node.destroy_client(client)
