"""Lens and exposure of a goal: permanent where the agents succeeded, restored where they did not."""

from __future__ import annotations

import time
from collections.abc import Mapping

from dasha_ros.freshness.command import NO_COMMAND, CommandId
from dasha_ros.ros.actuation.settlement import ActuatorReport, Patience, Settlement
from dasha_ros.ros.actuation.takeover import Takeover
from dasha_ros.ros.goals.goal_server import GoalServer
from dasha_ros.system import shutdown_limits

_RESTORED_S = 2.0
"""How long drivers take to see a new server and restore what the previous one left behind [s]."""
_STATES = {"lens": "lens/state", "camera": "camera/state"}


class Restoration:
    """Confirms or restores the two actuators, ``lens`` and ``camera``, at the end of a goal.

    A report that was made before the goal may be heard after it has begun, because reports and goals travel
    separately. So the settings to restore are those of the last report before the first command of an agent.
    """

    def __init__(self, server: GoalServer) -> None:
        self._server, self._actuators = server, server.actuators
        self._begun: dict[str, ActuatorReport | None] = {}
        self._before: dict[str, float] = {}
        self._touched: set[str] = set()
        """The actuators that an agent of this goal has commanded."""
        self.takeover = Takeover(self._is_an_agent)
        """Follows the whole goal. An agent notices another node only while it works on its part."""

    def begin(self) -> None:
        """Remember what the drivers report at the start of the goal."""
        self._begun = self._reports()
        self._before = {actuator: said.value for actuator, said in self._begun.items() if said is not None}
        self._actuators.reported = self._heed

    def _heed(self) -> None:
        heard = {actuator: said for actuator, said in self._reports().items() if self._counts(actuator, said)}
        for actuator, said in heard.items():
            if said is None or actuator in self._touched:
                continue
            if self._is_an_agent(said.command.sender):
                self._touched.add(actuator)
            else:
                self._before[actuator] = said.value
        self.takeover.heed(heard.get("camera"), heard.get("lens"))

    def _counts(self, actuator: str, said: ActuatorReport | None) -> bool:
        """Whether a report is news. A driver that was restarted has forgotten what was to be restored."""
        begun = self._begun[actuator]
        if said is None or begun is None or said.driver != begun.driver:
            return False
        return said.command != begun.command

    @property
    def exposure_us(self) -> float | None:
        """Exposure time to restore [us]; ``None``: unknown."""
        return self._before.get("camera")

    @property
    def position(self) -> float | None:
        """Position to restore, in the lens's unit; ``None``: unknown."""
        return self._before.get("lens")

    def are_left_behind(self) -> bool:
        """Whether the active settings may belong to a goal of a server that was killed before this one.

        Their drivers restore them as soon as they see the new server. A goal waits for that, because it will
        restore the settings that it starts with.
        """
        if time.monotonic() - self._actuators.joined_at > _RESTORED_S:
            return False
        return any(said and self._is_an_agent(said.command.sender) for said in self._reports().values())

    def restore(self) -> list[str]:
        """Restore both actuators; return those whose driver does not answer."""
        own, back = self._actuators, dict[str, Settlement]()
        position, exposure_us = self.position, self.exposure_us
        if position is not None:
            back["lens"] = own.settle_position(position, self._is_an_agent)
        if exposure_us is not None:
            back["camera"] = own.settle_exposure(exposure_us, self._is_an_agent)
        return self._missing(back, exposure_us or 0.0, shutdown_limits.DRIVER_RESTARTS_S)

    def confirm(self, reached: Mapping[str, CommandId]) -> list[str]:
        """Make permanent what the agents reached.

        Args:
            reached: The agent's last command, by actuator.

        Returns:
            The actuators whose driver does not answer.
        """
        own = self._actuators
        reached = {actuator: command for actuator, command in reached.items() if command != NO_COMMAND}
        settle = {"lens": own.settle_position, "camera": own.settle_exposure}
        # The agent's answer may arrive before its driver's report.
        patience = Patience(
            shutdown_limits.DRIVER_RESTARTS_S,
            shutdown_limits.STATE_ARRIVES_S,
            lambda: not self._server.is_active,
        )
        own.waiter.wait_for(lambda: self._have_reported(reached) or None, patience.lasts)
        lost, stay = list[str](), dict[str, Settlement]()
        for actuator, command in reached.items():
            said = self._reports()[actuator]
            if said is not None and said.command == command:
                stay[actuator] = settle[actuator](said.value, self._is_an_agent)
            elif said is None or not said.command.sender or said.is_the_drivers_own:
                lost.append(actuator)
            # Otherwise another node has commanded meanwhile, and its command stays.
        return lost + self._missing(stay, own.exposure_us or 0.0, shutdown_limits.DRIVER_RESTARTS_S)

    def _reports(self) -> dict[str, ActuatorReport | None]:
        return {"lens": self._actuators.position_report, "camera": self._actuators.exposure_report}

    def _have_reported(self, reached: Mapping[str, CommandId]) -> bool:
        """Whether the drivers report the agents' last commands, or newer ones of another node."""
        for actuator, said in self._reports().items():
            command = said.command if said else NO_COMMAND
            if actuator not in reached or command == reached[actuator]:
                continue
            if said == self._begun[actuator] or self._is_an_agent(command.sender):
                return False
        return True

    def _missing(
        self, settlements: Mapping[str, Settlement], exposure_us: float, answers_s: float
    ) -> list[str]:
        """Wait until the drivers obey; return the actuators whose driver does not."""
        own, server = self._actuators, self._server
        exposures_us = (own.exposure_us or 0.0, exposure_us)
        patience = Patience(
            shutdown_limits.exposure_shows_s(*exposures_us, answers_s=answers_s),
            shutdown_limits.exposure_shows_s(*exposures_us, longest_s=shutdown_limits.EXPOSURE_S),
            lambda: not server.is_active,
        )

        def missing() -> list[str]:
            return [
                actuator
                for actuator, settlement in settlements.items()
                # If all nodes end at once, the drivers obey no more commands and restore by themselves.
                if not (settlement.look() or (not server.is_active and settlement.is_active))
            ]

        own.waiter.wait_for(lambda: not missing() or None, patience.lasts)
        # A driver that was deactivated has restored its actuator, and nothing restarts it.
        return [
            actuator
            for actuator in missing()
            if not (settlements[actuator].is_active and server.count_publishers(_STATES[actuator]))
        ]

    def _is_an_agent(self, sender: str) -> bool:
        """Whether an agent sent a command: a killed agent may still have one on its way."""
        namespace = self._server.get_namespace().rstrip("/")
        return sender.startswith((f"{namespace}/high_level_agent#", f"{namespace}/low_level_agent#"))
