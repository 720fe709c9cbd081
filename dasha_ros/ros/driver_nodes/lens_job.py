"""What the lens's thread does: it carries out commands, confirms them, and watches for faults."""

from __future__ import annotations

import math
import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import Any

from rclpy.publisher import Publisher

from dasha_ros import msg
from dasha_ros.config import LensDriverConfig
from dasha_ros.devices.errors import DeviceError, DeviceLost, MoveOvertaken
from dasha_ros.devices.lens import InterruptibleLens, Lens, LensReading, checked_reading
from dasha_ros.freshness.command import NO_COMMAND, CommandId
from dasha_ros.freshness.state import LensState
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.ros.driver_nodes.commands import Commands, Order
from dasha_ros.ros.driver_nodes.twin_link import LensTwinLink
from dasha_ros.ros.node.node import DashaNode
from dasha_ros.ros.transport.conversions import lens_info_to_msg, lens_to_msg

_IDLE_S = 0.5
"""How often an idle lens is asked for faults [s]."""
_SIMULATED_S = 0.002
"""How often the clock is read under simulated time, which may run at any speed [s]."""
_HEAD_START_S = 0.0007
"""How much earlier the twin's camera hears of a move than all other nodes [s]: a step waits for it, and the
others would take its core."""
_ATTEMPTS_MORE = 3
"""How often an unconfirmed command is repeated, before the agents repeat it after 2 s or more."""


class LensJob:
    """The `Job` of the lens's `DeviceWorker`. It also publishes the lens's state.

    Attributes:
        position: The commanded position, or where the lens was found; `None`: it was never opened.
        info: Unit, limits and map; `None`: the back end knows them only once the device was opened.
        state: The newest state.
        state_publisher: Publisher of ``lens/state``.
        lens: The back end; `None` while the node is not configured.
        changed: Guards the order, and wakes the thread.
    """

    state_publisher: Publisher

    def __init__(self, node: DashaNode[LensDriverConfig]) -> None:
        self._node = node
        self.changed = threading.Condition()
        self.position: float | None = None
        self.info: LensInfo | None = None
        self.state = LensState(NO_COMMAND, 0.0, 0.0, settled=False, settled_at_ns=0)
        self.lens: Lens | None = None
        self._twin: LensTwinLink | None = None
        self._order: Order | None = None
        self._failed_attempts = 0
        self._going_to: float | None = None
        self._is_there = False
        """Whether the last move arrived, as far as is known."""
        self._publishing = threading.Lock()
        self._rest_ns = 0
        """When the lens will be at rest, on the steady clock."""
        self._messages, self._moves = 0, 0

    def set_up(self, lens: Lens, commands: Commands, info: Publisher, state: Publisher) -> None:
        """Use a new lens, not yet opened, and these commands and publishers."""
        self.lens, self._commands = lens, commands
        self._info_publisher, self.state_publisher = info, state
        self._messages, self._moves = 0, 0
        if isinstance(lens, InterruptibleLens):
            lens.heed(self._is_overtaken)
        with suppress(DeviceLost):
            self._learn(lens.info)

    def connect_twin(self, twin: LensTwinLink | None) -> None:
        """Tell a twin's camera of every move; `None`: there is no twin."""
        self._twin = twin

    def forget(self) -> None:
        """Drop the lens, which is closed."""
        self.lens = self.info = None

    def restart(self) -> None:
        """Drop commands from before the lens was closed."""
        with self.changed:
            self._order = None
            if self.position is not None:
                self.position = self.state.commanded_position

    def obey(self, order: Order) -> None:
        """Carry out an order as soon as possible; it replaces an older one."""
        with self.changed:
            self._order, self.position, self._failed_attempts = order, order.value, 0
            self.changed.notify()

    def wake(self) -> None:
        """Look for new work."""
        with self.changed:
            self.changed.notify()

    def open(self) -> None:
        """Open the lens, and carry out the newest command that its range allows."""
        assert self.lens is not None
        reading = checked_reading(self.lens.open())
        self._learn(self.lens.info)
        self.publish_info()
        gate, before = self._commands.gate, self.state
        with self.changed:
            order, self._order, self._failed_attempts = self._order, None, 0
            if order is not None and (reason := gate.beyond(order.value)):
                # It was admitted before the limits of this lens were known.
                gate.withdraw(reason)
                order = None
            # The range of a lens that was lost may have become smaller.
            if order is None and before.command != NO_COMMAND and not gate.beyond(before.commanded_position):
                order = Order(before.command, before.commanded_position)
            self.position = reading.position if order is None else order.value
        self._commands.found(reading.position)
        if order is not None:
            self._carry_out(order)
        else:
            self._adopt(reading, NO_COMMAND, reading.position)

    def _learn(self, info: LensInfo) -> None:
        """Take unit and limits from the lens."""
        self.info = info
        self._commands.gate.limit(info.unit, info.position_min, info.position_max)
        if self.position is None:
            # Where the lens is, is still unknown; a position within its limits misleads least.
            start = info.position_min
            self.state = replace(self.state, commanded_position=start, position=start)

    def facts(self) -> dict[str, Any]:
        """What the board is, and the counters of its line."""
        return self.lens.describe() if self.lens is not None else {}

    def values(self) -> dict[str, Any]:
        """Position and unit, for the diagnostics."""
        return {
            "lens_position": self.state.position,
            "commanded_position": self.state.commanded_position,
            "lens_unit": self.info.unit if self.info else "not known yet",
        }

    def named(self, position: float) -> str:
        """A position with its unit."""
        return f"{position:.3f} {self.info.unit if self.info else ''}".rstrip()

    def work(self) -> bool:
        """Carry out the newest command, or look for faults."""
        self._commands.restore_if_abandoned()
        with self.changed:
            if self._order is None:
                timeout = _IDLE_S if self.state.settled else self._settle_s()
                if self._node.clock.is_simulated:
                    timeout = min(timeout, _SIMULATED_S)
                self.changed.wait(timeout)
            order, self._order = self._order, None
        if order is not None:
            self._carry_out(order)
            return True
        if self.state.settled:
            self._look_for_faults()
            return True
        if self._settle_s() <= 0.0:
            self.publish(replace(self.state, settled=True))
        return False

    def lost(self, reason: str) -> None:
        """Publish that the lens does not answer."""
        self.publish(replace(self.state, settled=False, faults=(reason,)))

    def leave(self) -> None:
        """Carry out the last order, which restores the lens if a goal was in progress."""
        for _ in range(_ATTEMPTS_MORE + 1):
            with self.changed:
                order, self._order = self._order, None
            if order is None:
                return
            with suppress(DeviceError):
                self._carry_out(order)

    def close(self) -> None:
        """Close the lens."""
        if self.lens is not None:
            self.lens.close()

    def publish_closed(self, restores: bool) -> None:
        """Publish that the lens is closed; ``restores``: it had to be restored first."""
        state, order = self.state, self._order
        if restores and order is not None:
            self._node.get_logger().error(f"the lens could not be restored to {self.named(order.value)}")
            # It will be restored when the lens is opened again.
            state = replace(state, command=order.command, commanded_position=order.value)
        self.publish(replace(state, settled=False, faults=("not active",)))

    def _carry_out(self, order: Order) -> None:
        try:
            self._move(order)
        except MoveOvertaken:
            # The newer order is carried out next.
            self._node.health.count("moves_overtaken")
        except DeviceError as error:
            # Repeat it unless a newer command came: it may be the last command of a search.
            with self.changed:
                if self._order is None:
                    self._order, self._failed_attempts = order, self._failed_attempts + 1
                failed = self._failed_attempts
            if failed > _ATTEMPTS_MORE and not isinstance(error, DeviceLost):
                raise DeviceLost(f"{error}, {failed} times in a row: reopening it") from error
            raise

    def _move(self, order: Order) -> None:
        assert self.lens is not None
        state = self.state
        is_there = self._is_there and state.commanded_position == order.value
        if order.confirms and is_there and not state.faults:
            self.publish(replace(state, command=order.command))
            return
        self._going_to, self._is_there = order.value, False
        reading = checked_reading(self.lens.move(order.value))
        self._node.health.count("moves")
        self._adopt(reading, order.command, order.value)

    def _is_overtaken(self) -> bool:
        """Whether a newer order sends the lens elsewhere. Asked by the thread that moves it."""
        newer = self._order
        return newer is not None and newer.value != self._going_to

    def _adopt(self, reading: LensReading, command: CommandId, position: float) -> None:
        node, self._is_there = self._node, True
        settle_ns = round((node.config.settle_ms / 1e3 or reading.settle_s) * 1e9)
        settled_at, rest_ns = node.clock.now_ns() + settle_ns, node.steady.now_ns() + settle_ns
        with self._publishing:
            self._moves, self._rest_ns = self._moves + 1, rest_ns
        state = LensState(command, position, reading.position, settle_ns <= 0, settled_at, reading.faults)
        if self._twin is not None:
            # A refusal meanwhile must not publish the previous state.
            with self._publishing:
                self.state, message = state, self._message(state)
            self._twin.publish(message)
            time.sleep(_HEAD_START_S)
        self.publish(state)

    def _look_for_faults(self) -> None:
        assert self.lens is not None
        reading = checked_reading(self.lens.read())
        if reading.faults != self.state.faults:
            self.publish(replace(self.state, faults=reading.faults))

    def publish_info(self) -> None:
        """Publish unit, limits and map of the lens, if they are known."""
        if self.info is not None and self._node.context.ok():
            self._info_publisher.publish(lens_info_to_msg(self.info, self._node.instance))

    def publish(self, newer: LensState | None = None) -> None:
        """Publish a state, one thread at a time, so that no older state is published last and latched."""
        with self._publishing:
            self.state = newer or self.state
            if self._node.context.ok():
                self.state_publisher.publish(self._message(self.state))
        self._node.health.update()

    def _settle_s(self) -> float:
        """Time left until the lens rests [s]."""
        return max(0.0, (self._rest_ns - self._node.steady.now_ns()) / 1e9)

    def _message(self, state: LensState) -> msg.LensState:
        """The next message. The caller holds the lock, because each message has a number of its own."""
        self._messages += 1
        gate, info = self._commands.gate, self.info
        complete = replace(
            state,
            driver=self._commands.instance,
            sequence=self._messages,
            move=self._moves,
            settle_s=0.0 if state.settled else self._settle_s(),
            unit=info.unit if info else "",
            focus_distance_m=info.focus_distance_m(state.position) if info else math.nan,
        )
        return lens_to_msg(complete, self._node.clock.now_ns(), gate.refused, gate.last_refusal)
