"""Two ways to a camera's lens port: in the process that owns the camera, and from another one.

Only one process can open a camera, and that is the camera driver's. The lens driver is a process of its own,
like for every other lens, so that neither takes the other with it. It reaches the port through a socket that
the camera driver serves beside the graph's other files: a line of JSON asks, a line answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Any, Protocol

from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.devices.pylon.optic import OpticController, OpticState
from dasha_ros.system.socket_server import SocketServer, socket_address

_REQUEST_MAX_BYTES = 1000
_REPLY_S = 5.0
"""How long the camera driver may take to answer [s]; a node of a camera takes milliseconds."""
_POLL_S = 0.1


class CameraNodes(Protocol):
    """An open camera that lends its node map."""

    def with_nodes(self, call: Callable[[Any], OpticState]) -> OpticState:
        """The result of ``call`` with the camera's node map; the camera stays open meanwhile.

        Raises:
            DeviceLost: The camera is not open or gone.
            DeviceError: It refused.
        """
        ...


class CameraLensPort:
    """A `LensPort` in the process that owns the camera; usable from any thread."""

    def __init__(self, camera: CameraNodes) -> None:
        self._camera = camera

    def open(self) -> OpticState:
        """See `LensPort.open`."""
        return self._camera.with_nodes(_woken)

    def go(self, position: float) -> OpticState:
        """See `LensPort.go`."""

        def command(node_map: Any) -> OpticState:
            controller = OpticController(node_map)
            controller.go(position)
            return controller.state()

        return self._camera.with_nodes(command)

    def read(self) -> OpticState:
        """See `LensPort.read`. What still has to be initialised is initialised."""
        return self._camera.with_nodes(_woken)

    def close(self) -> None:
        """Nothing: the camera belongs to somebody else."""


def _woken(node_map: Any) -> OpticState:
    controller = OpticController(node_map)
    controller.wake()
    return controller.state()


class LensPortServer(SocketServer):
    """Serves a camera's lens port at a socket.

    Args:
        path: Of the socket.
        camera: Whose port; it may be closed and opened while it is served.

    Raises:
        FileExistsError: (On `start`) Another camera driver serves the path.
    """

    named = "camera driver"

    def __init__(self, path: Path, camera: CameraNodes) -> None:
        super().__init__(path)
        self._port = CameraLensPort(camera)

    def attend(self, client: Connection) -> None:
        """Answer requests."""
        while not self.stopping:
            if client.poll(_POLL_S):
                client.send_bytes(self._answer(client.recv_bytes(_REQUEST_MAX_BYTES)))

    def _answer(self, asked: bytes) -> bytes:
        try:
            request = json.loads(asked)
            if request["do"] == "go":
                state = self._port.go(float(request["position"]))
            else:
                state = self._port.open() if request["do"] == "open" else self._port.read()
        except DeviceLost as error:
            reply: dict[str, Any] = {"lost": str(error)}
        except (DeviceError, ValueError, KeyError, TypeError) as error:
            reply = {"refused": str(error)}
        else:
            reply = asdict(state)
        return json.dumps(reply).encode()


class RemoteLensPort:
    """A `LensPort` in another process than the camera's."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._server: Connection | None = None

    def open(self) -> OpticState:
        """See `LensPort.open`."""
        self.close()
        try:
            self._server = Client(socket_address(self._path), "AF_UNIX")
        except OSError as error:
            raise DeviceLost(
                f"no camera driver serves {self._path} ({error}): it owns the camera whose port the lens is"
                " at. Start it, with the same path as `lens_socket`."
            ) from error
        return self._ask({"do": "open"})

    def go(self, position: float) -> OpticState:
        """See `LensPort.go`."""
        return self._ask({"do": "go", "position": position})

    def read(self) -> OpticState:
        """See `LensPort.read`."""
        return self._ask({"do": "read"})

    def close(self) -> None:
        """Hang up."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def _ask(self, request: dict[str, Any]) -> OpticState:
        server = self._server
        if server is None:
            raise DeviceLost("the lens at the camera's port is not open")
        try:
            server.send_bytes(json.dumps(request).encode())
            if not server.poll(_REPLY_S):
                raise TimeoutError(f"no answer in {_REPLY_S:g} s")
            reply = json.loads(server.recv_bytes())
        except (OSError, EOFError, ValueError) as error:
            self.close()
            raise DeviceLost(
                f"the camera driver at {self._path} is gone ({error}); it owns the lens"
            ) from error
        if "lost" in reply:
            raise DeviceLost(reply["lost"])
        if "refused" in reply:
            raise DeviceError(reply["refused"])
        return OpticState(**{**reply, "faults": tuple(reply["faults"])})
