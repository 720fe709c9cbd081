"""The node that owns the lens."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from dasha_ros import msg
from dasha_ros.config import LensDriverConfig
from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.devices.lens import Lens, LensReading
from dasha_ros.devices.twin import TwinLens
from dasha_ros.freshness.command import NO_COMMAND, CommandId
from dasha_ros.freshness.gate import CommandGate
from dasha_ros.freshness.state import LensState
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.ros.driver_nodes.backends import lens_backend
from dasha_ros.ros.driver_nodes.commands import Commands, Order
from dasha_ros.ros.driver_nodes.device_worker import DeviceWorker
from dasha_ros.ros.driver_nodes.twin_link import LensTwinLink
from dasha_ros.ros.node.condition import Condition, failure
from dasha_ros.ros.node.node import DashaNode
from dasha_ros.ros.node.run import run
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.conversions import lens_info_to_msg, lens_to_msg
from dasha_ros.ros.transport.fast_subscriber import FastSubscriber

_IDLE_S = 0.5
"""How often an idle lens is asked for faults [s]."""
_HEAD_START_S = 0.0007
"""How much earlier the twin's camera hears of a move than all other nodes [s]: a step waits for it, and the
others would take its core."""
_ATTEMPTS_MORE = 3
"""How often an unconfirmed command is repeated, before the agents repeat it after 2 s or more."""


class LensDriver(DashaNode[LensDriverConfig]):
    """Moves the lens, one command at a time, the newest one first.

    It subscribes to ``lens/command``. It publishes ``lens/info``, latched: unit, limits and map of the lens,
    as soon as its back end knows them; and ``lens/state``, latched: when a command was applied (with
    the time at which the lens will have settled), when the lens has settled, on every fault, and when the
    lens is closed. A command that the lens did not confirm is kept until it does or a newer command comes.
    The position that a goal commanded lasts only as long as the goal: if the goal's owner leaves the graph or
    this driver ends, the last permanent position is restored.
    """

    config_model = LensDriverConfig

    def __init__(self) -> None:
        super().__init__("lens_driver")
        self._worker: DeviceWorker | None = None
        self._waiter = threading.Condition()
        self._order: Order | None = None
        self._position: float | None = None
        """Where the lens was last told to go, or was found; ``None``: it was never opened."""
        self._failed_attempts = 0
        self._telling = threading.Lock()
        self._info: LensInfo | None = None
        """``None``: the back end knows only once the device was opened."""
        self._state = LensState(NO_COMMAND, 0.0, 0.0, settled=False, settled_at_ns=0)
        self._rest_ns = 0
        """When the lens will be at rest, on the steady clock."""
        self._said, self._moves = 0, 0
        self._lens: Lens | None = None
        self._twin: LensTwinLink | None = None
        self.health.watch("faults", self._faults)
        self.health.show(
            "lens",
            lambda: {
                "lens_position": self._state.position,
                "commanded_position": self._state.commanded_position,
                "lens_unit": self._info.unit if self._info else "not known yet",
            },
        )

    def configure(self) -> None:
        """Create topics and the back end; the device is opened on activation."""
        self._lens = lens_backend(self.config, self.steady)
        self._said, self._moves = 0, 0
        if isinstance(self._lens, TwinLens):
            self._twin = LensTwinLink(self, self._lens, self.health, self.instance)
        self._info_publisher = self.create_publisher(msg.LensInfo, "lens/info", qos.STATE)
        self._state_publisher = self.create_publisher(msg.LensState, "lens/state", qos.STATE)
        gate = CommandGate("lens position", "", -math.inf, math.inf)
        self._commands = Commands(
            self,
            "lens/command",
            gate,
            obey=self._admitted,
            in_force=lambda: self._position,
            refused=self._tell,
        )
        with suppress(DeviceLost):
            self._learn(self._lens.info)
        self._lane = FastSubscriber(self)
        self._lane.listen(msg.LensCommand, "lens/command", self._on_command, qos.COMMAND)

    def activate(self) -> None:
        """Open the lens. Commands from before it was closed no longer count."""
        with self._waiter:
            self._order = None
            if self._position is not None:
                self._position = self._state.commanded_position
        self._worker = DeviceWorker("lens", self, self.health, self._wake)
        self._worker.start()
        self._tell_info()
        self.exclusive_topics.add("lens/info", self._tell_info)
        self.exclusive_topics.add("lens/state", self._tell)
        if self._twin is not None:
            self.exclusive_topics.add("twin/lens", self._twin.repeat)
        self.health.set_activity(lambda: f"lens at {self._named(self._state.position)}")

    def deactivate(self) -> None:
        """Close the lens; a real one goes to standby."""
        if self._worker is not None:
            goes_back = self._commands.end()
            self._worker.stop()
            self._worker = None
            state, order = self._state, self._order
            if goes_back and order is not None:
                self.get_logger().error(f"the lens could not be restored to {self._named(order.value)}")
                # It will be restored when the lens is opened again.
                state = replace(state, command=order.command, commanded_position=order.value)
            self._tell(replace(state, settled=False, faults=("not active",)))
            if goes_back:
                self._commands.await_delivery(self._state_publisher)

    def cleanup(self) -> None:
        """Close the lens and the topics."""
        self.deactivate()
        if self._twin is not None:
            self._twin.close()
            self._twin = None
        if self._lens is not None:
            self._lane.close()
            self.destroy_publisher(self._state_publisher)
            self.destroy_publisher(self._info_publisher)
            self._lens = self._info = None

    def _on_command(self, command: msg.LensCommand) -> None:
        self._commands.hear(command, command.position)

    def _admitted(self, order: Order) -> None:
        with self._waiter:
            self._order, self._position, self._failed_attempts = order, order.value, 0
            self._waiter.notify()

    def _wake(self) -> None:
        with self._waiter:
            self._waiter.notify()

    def open(self) -> None:
        """See `Job.open`. Also carries out the newest command."""
        assert self._lens is not None
        reading = self._lens.open()
        self._learn(self._lens.info)
        self._tell_info()
        with self._waiter:
            order, self._order, self._failed_attempts = self._order, None, 0
            if order is not None and (reason := self._commands.gate.beyond(order.value)):
                # It was admitted before anybody knew what this lens takes.
                self._commands.gate.withdraw(reason)
                order = self._position = None
            if self._position is None:
                self._position = reading.position
        self._commands.found(reading.position)
        if order is None and self._state.command != NO_COMMAND:
            order = Order(self._state.command, self._state.commanded_position)
        if order is not None:
            self._obey(order)
        else:
            self._adopt(reading, NO_COMMAND, reading.position)

    def _learn(self, info: LensInfo) -> None:
        """Take unit and limits from the lens."""
        self._info = info
        self._commands.gate.limit(info.unit, info.position_min, info.position_max)
        if self._position is None:
            # Nobody knows yet where the lens is; a place that it can go to misleads least.
            self._state = replace(
                self._state, commanded_position=info.position_min, position=info.position_min
            )

    def _tell_info(self) -> None:
        if self._info is not None and self.context.ok():
            self._info_publisher.publish(lens_info_to_msg(self._info, self.instance))

    def _named(self, position: float) -> str:
        """A position and its unit."""
        return f"{position:.3f} {self._info.unit if self._info else ''}".rstrip()

    def facts(self) -> dict[str, Any]:
        """See `Job.facts`: what the board is, and the counters of its line."""
        return self._lens.describe() if self._lens is not None else {}

    def work(self) -> bool:
        """See `Job.work`: carry out the newest command, or look for faults."""
        self._commands.restore_if_abandoned()
        with self._waiter:
            if self._order is None:
                timeout = _IDLE_S if self._state.settled else self._settle_s()
                if self.clock.is_simulated:
                    timeout = min(timeout, 0.002)
                self._waiter.wait(timeout)
            order, self._order = self._order, None
        if order is not None:
            self._obey(order)
            return True
        if self._state.settled:
            self._watch()
            return True
        if self._settle_s() <= 0.0:
            self._tell(replace(self._state, settled=True))
        return False

    def lost(self, reason: str) -> None:
        """See `Job.lost`: publish that the lens does not answer."""
        self._tell(replace(self._state, settled=False, faults=(reason,)))

    def leave(self) -> None:
        """See `Job.leave`: carry out the last order, which restores the lens if a goal was in progress."""
        for _ in range(_ATTEMPTS_MORE + 1):
            with self._waiter:
                order, self._order = self._order, None
            if order is None:
                return
            with suppress(DeviceError):
                self._obey(order)

    def close(self) -> None:
        """See `Job.close`."""
        if self._lens is not None:
            self._lens.close()

    def _obey(self, order: Order) -> None:
        try:
            self._move(order)
        except DeviceError as error:
            # Repeat it unless a newer command came: it may be the last command of a search.
            with self._waiter:
                if self._order is None:
                    self._order, self._failed_attempts = order, self._failed_attempts + 1
                failed = self._failed_attempts
            if failed > _ATTEMPTS_MORE and not isinstance(error, DeviceLost):
                raise DeviceLost(f"{error}, {failed} times in a row: reopening it") from error
            raise

    def _move(self, order: Order) -> None:
        assert self._lens is not None
        state = self._state
        if order.confirms and state.commanded_position == order.value and not state.faults:
            self._tell(replace(state, command=order.command))
            return
        reading = self._lens.move(order.value)
        self.health.count("moves")
        self._adopt(reading, order.command, order.value)

    def _adopt(self, reading: LensReading, command: CommandId, position: float) -> None:
        settle_ns = round((self.config.settle_ms / 1e3 or reading.settle_s) * 1e9)
        settled_at, rest_ns = self.clock.now_ns() + settle_ns, self.steady.now_ns() + settle_ns
        with self._telling:
            self._moves, self._rest_ns = self._moves + 1, rest_ns
        state = LensState(command, position, reading.position, settle_ns <= 0, settled_at, reading.faults)
        if self._twin is not None:
            # A refusal meanwhile must not publish the previous state.
            with self._telling:
                self._state, message = state, self._message(state)
            self._twin.publish(message)
            time.sleep(_HEAD_START_S)
        self._tell(state)

    def _watch(self) -> None:
        assert self._lens is not None
        reading = self._lens.read()
        if reading.faults != self._state.faults:
            self._tell(replace(self._state, faults=reading.faults))

    def _faults(self) -> Condition | None:
        """Faults that the lens reports. `DeviceWorker` reports a lens that is lost or closed."""
        worker, faults = self._worker, self._state.faults
        if worker is None or not worker.has_device or not faults:
            return None
        return failure(f"the lens reports {', '.join(faults)}")

    def _tell(self, newer: LensState | None = None) -> None:
        """Publish a state, one thread at a time, so that no older state is published last and latched."""
        with self._telling:
            self._state = newer or self._state
            if self.context.ok():
                self._state_publisher.publish(self._message(self._state))
        self.health.update()

    def _settle_s(self) -> float:
        """Time left until the lens rests [s]."""
        return max(0.0, (self._rest_ns - self.steady.now_ns()) / 1e9)

    def _message(self, state: LensState) -> msg.LensState:
        """The next message. The caller holds the lock, because each message has a number of its own."""
        self._said += 1
        gate, settle_s = self._commands.gate, 0.0 if state.settled else self._settle_s()
        info = self._info
        said = replace(
            state,
            driver=self._commands.instance,
            sequence=self._said,
            move=self._moves,
            settle_s=settle_s,
            unit=info.unit if info else "",
            focus_distance_m=info.focus_distance_m(state.position) if info else math.nan,
        )
        return lens_to_msg(said, self.clock.now_ns(), gate.refused, gate.last_refusal)


def main(args: Sequence[str] | None = None) -> None:
    """Run the lens driver."""
    run(LensDriver, args)


if __name__ == "__main__":
    main()
