"""The node that owns the lens."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dasha_ros import msg
from dasha_ros.config import LensDriverConfig
from dasha_ros.devices.errors import DeviceTimeout
from dasha_ros.devices.lens import Lens
from dasha_ros.devices.twin.lens import TwinLens
from dasha_ros.freshness.gate import CommandGate
from dasha_ros.ros.driver_nodes.backends import lens_backend
from dasha_ros.ros.driver_nodes.commands import Commands
from dasha_ros.ros.driver_nodes.device_worker import DeviceWorker
from dasha_ros.ros.driver_nodes.lens_job import LensJob
from dasha_ros.ros.driver_nodes.twin_link import LensTwinLink
from dasha_ros.ros.node.condition import Condition, failure
from dasha_ros.ros.node.node import DashaNode
from dasha_ros.ros.node.run import run
from dasha_ros.ros.transport import qos
from dasha_ros.ros.transport.fast_subscriber import FastSubscriber


class LensDriver(DashaNode[LensDriverConfig]):
    """Moves the lens, one command at a time, the newest one first.

    It subscribes to ``lens/command``. It publishes, latched,

    - ``lens/info``: unit, limits and map of the lens, as soon as its back end knows them;
    - ``lens/state``: when a command was applied (with the time at which the lens will have settled), when
      the lens has settled, on every fault, and when the lens is closed.

    A command that the lens did not confirm is kept until it does or a newer command comes. The position that
    a goal commanded lasts only as long as the goal: if the goal's owner leaves the graph or this driver ends,
    the last permanent position is restored.
    """

    config_model = LensDriverConfig

    def __init__(self) -> None:
        super().__init__("lens_driver")
        self._worker: DeviceWorker | None = None
        self._restores = False
        """The lens has to be restored before it closes."""
        self._lens: Lens | None = None
        self._twin: LensTwinLink | None = None
        self._job = LensJob(self)
        self.health.watch("faults", self._faults)
        self.health.show("lens", self._job.values)

    def configure(self) -> None:
        """Create the topics and the back end; the device is opened on activation."""
        job = self._job
        self._lens = lens_backend(self.config, self.steady, self)
        info = self.keep_publisher(msg.LensInfo, "lens/info", qos.STATE)
        state = self.keep_publisher(msg.LensState, "lens/state", qos.STATE)
        subscriber = FastSubscriber(self)
        self.keep(subscriber, subscriber.close)
        if isinstance(self._lens, TwinLens):
            self._twin = LensTwinLink(self, self._lens, self.health, self.instance)
            self.keep(self._twin, self._twin.close)
        job.connect_twin(self._twin)
        self._commands = Commands(
            self,
            "lens/command",
            CommandGate("lens position", "", -math.inf, math.inf),
            obey=job.obey,
            current=lambda: job.position,
            refused=job.publish,
        )
        job.set_up(self._lens, self._commands, info, state)
        subscriber.listen(msg.LensCommand, "lens/command", self._on_command, qos.COMMAND)

    def activate(self) -> None:
        """Open the lens. Commands from before it was closed no longer count."""
        job = self._job
        job.restart()
        self._worker = DeviceWorker("lens", job, self.health, job.wake)
        self._worker.start()
        job.publish_info()
        self.exclusive_topics.add("lens/info", job.publish_info)
        self.exclusive_topics.add("lens/state", job.publish)
        if self._twin is not None:
            self.exclusive_topics.add("twin/lens", self._twin.repeat)
        self.health.set_activity(lambda: f"lens at {job.named(job.state.position)}")

    def deactivate(self) -> None:
        """Close the lens; a real one goes to standby."""
        if self._worker is not None:
            self._restores = self._commands.end() or self._restores
            try:
                self._worker.stop()
            except DeviceTimeout as error:
                self._job.lost(str(error))
                raise
            self._worker = None
            self._job.publish_closed(self._restores)
            self._restores = False

    def cleanup(self) -> None:
        """Forget the lens."""
        if self._lens is not None:
            self._lens = self._twin = None
            self._job.forget()

    def _on_command(self, command: msg.LensCommand) -> None:
        self._commands.hear(command, command.position)

    def _faults(self) -> Condition | None:
        """Faults that the lens reports. `DeviceWorker` reports a lens that is lost or closed."""
        worker, faults = self._worker, self._job.state.faults
        if worker is None or not worker.has_device or not faults:
            return None
        return failure(f"the lens reports {', '.join(faults)}")


def main(args: Sequence[str] | None = None) -> None:
    """Run the lens driver."""
    run(LensDriver, args)


if __name__ == "__main__":
    main()
