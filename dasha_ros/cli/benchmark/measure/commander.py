"""Commands a running graph and waits for the answers, as an agent does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.parameter import Parameter

from dasha_ros import msg
from dasha_ros.bringup.graph_client import GraphClient
from dasha_ros.cli.graph.ready import GraphError
from dasha_ros.freshness.command import NO_COMMAND
from dasha_ros.ros.actuation.actuators import Actuators
from dasha_ros.ros.actuation.settlement import Sent
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.conversions import id_from_msg

WARM_UP = 5
"""Commands before the first one that is timed."""
ANSWER_S = 5.0
PERCEPT_S = 2.0
TRIES = 10


class Commander:
    """A client of a graph for measurements; `close` it at the end.

    Attributes:
        client: A client of the graph; this process is the subscriber.
        actuators: Sends the commands.
    """

    def __init__(self, client: GraphClient) -> None:
        self.client = client
        self.actuators = Actuators(client.node)
        self._percept = NO_COMMAND, NO_COMMAND
        """Exposure command and lens command that the newest percept answers."""
        self.actuators.listen(msg.Percept, "perception/percept", self._on_percept, qos.PERCEPT)

    def close(self) -> None:
        """Close the topics."""
        self.actuators.close()

    def _on_percept(self, percept: msg.Percept) -> None:
        self._percept = id_from_msg(percept.capture.exposure_command), id_from_msg(percept.lens.command)
        self.actuators.waiter.notify()

    def meet(self, send: Callable[[], Sent], answered: Callable[[Sent], bool]) -> None:
        """Repeat a command until it is answered: before discovery it is lost."""
        for _ in range(TRIES):
            sent = send()
            if self.actuators.wait(partial(answered, sent), 1.0):
                return
        raise GraphError("a driver does not answer; see `dasha doctor`")

    def rest(self, sent: Sent, which: int) -> None:
        """Wait for the percept, as an agent does, so that it does not compete with the next measurement.

        Pictures travel by best effort, so perception may have missed this one.
        """
        self.actuators.wait(lambda: self._percept[which] == sent.id, PERCEPT_S)

    def until(self, condition: Callable[[], bool], trouble: str) -> None:
        """Wait for a condition.

        Raises:
            GraphError: It does not come true; ``trouble`` says what that means.
        """
        if not self.actuators.wait(condition, ANSWER_S):
            raise GraphError(trouble)

    def set_parameters(self, node: str, **values: Any) -> None:
        """See `set_parameters`."""
        set_parameters(self.client, node, **values)


def set_parameters(client: GraphClient, node: str, **values: Any) -> None:
    """Set parameters of a node.

    Raises:
        GraphError: The node does not answer or refuses.
    """
    parameters = [Parameter(name, value=value).to_parameter_msg() for name, value in values.items()]
    request = SetParametersAtomically.Request(parameters=parameters)
    answer = client.call(SetParametersAtomically, f"{node}/set_parameters_atomically", request, ANSWER_S)
    if answer is None:
        raise GraphError(f"{node} does not answer")
    if not answer.result.successful:
        raise GraphError(f"{node} refused {values}: {answer.result.reason}")


def quantiles(name: str, nanoseconds: list[float]) -> dict[str, float]:
    """Median and 95th percentile of times [ns], in ms; NaN without any."""
    p50, p95 = np.percentile(nanoseconds, (50, 95)) / 1e6 if nanoseconds else (float("nan"),) * 2
    return {f"{name}_ms_p50": round(float(p50), 2), f"{name}_ms_p95": round(float(p95), 2)}
