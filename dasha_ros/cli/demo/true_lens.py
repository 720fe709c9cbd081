"""Where the twin's lens truly focuses, to judge the goals of demo and benchmark."""

from __future__ import annotations

from dasha_ros.bringup.graph_client import GraphClient
from dasha_ros.msg import TwinLens
from dasha_ros.ros.transport import qos
from dasha_ros.ros.validation.subscribe import subscribe

_CATCH_UP_S = 0.3
"""An emulated lens does not name the command that it obeys; its last message arrives within this time [s]."""


class TrueLens:
    """Follows the twin's lens."""

    def __init__(self, client: GraphClient) -> None:
        self._client = client
        self._newest: TwinLens | None = None
        subscribe(client.node, TwinLens, "twin/lens", self._hear, qos.STATE)

    def _hear(self, lens: TwinLens) -> None:
        self._newest = lens

    def focus_at(self, position: float, timeout_s: float) -> float | None:
        """Where the lens focuses [1/m] at a commanded ``position``, hysteresis included.

        ``None``: it does not report it within ``timeout_s``.
        """
        if self._client.until(lambda: self._newest, timeout_s) is None:
            return None
        self._client.until(lambda: self._newest is not None and self._newest.state.driver, _CATCH_UP_S)

        def is_there() -> bool:
            newest = self._newest
            return newest is not None and (
                not newest.state.driver or newest.state.commanded_position == position
            )

        if not self._client.until(is_there, timeout_s):
            return None
        assert self._newest is not None
        return float(self._newest.target_dioptres)
