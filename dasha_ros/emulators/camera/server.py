"""Brings pictures from ``dasha emulate camera`` to the process of the camera driver.

pylon's emulator runs in the process that opens the camera; the twin that it shows runs in another one.
Requests and answers go through a socket, pixels through shared memory: two megapixels through a socket cost
a dozen switches between the processes.
"""

from __future__ import annotations

import os
import struct
import threading
from multiprocessing.connection import Client, Connection
from multiprocessing.reduction import recv_handle, send_handle
from pathlib import Path

import numpy as np

from dasha_ros.devices.errors import DeviceError, DeviceLost
from dasha_ros.emulators.camera.pictures import Picture, Render, Scenery
from dasha_ros.system.socket_server import SocketServer, socket_address

_REQUEST = struct.Struct("<ddq?")
"""Exposure [us], gain [dB], begin [ns], whether to send only a changed picture."""
_HEADER = struct.Struct("<4I")
"""Bytes per value, height, width, channels; the picture is in the shared memory."""
_ERROR, _UNCHANGED = 0, 0xFF
"""Instead of the bytes per value: an error message follows, or nothing has changed."""


class PictureServer(SocketServer):
    """Serves a `Render` at a socket. Use it as a context manager.

    Raises:
        FileExistsError: (On start) Another server uses the socket.
    """

    named = "camera emulator"
    breaks = (struct.error,)

    def __init__(self, path: Path, render: Render) -> None:
        super().__init__(path)
        self._render = render

    def attend(self, client: Connection) -> None:
        """Hand the memory for pictures over, and answer."""
        # It has no name, so the kernel frees it when both processes have ended in any way.
        memory = os.memfd_create("dasha_picture")
        try:
            send_handle(client, memory, None)
            self._answer(client, memory)
        finally:
            os.close(memory)

    def _answer(self, client: Connection, memory: int) -> None:
        while not self.stopping:
            if not client.poll(0.1):
                continue
            try:
                picture = self._picture(*_REQUEST.unpack(client.recv_bytes(_REQUEST.size)))
            except (DeviceError, ValueError) as error:
                client.send_bytes(_HEADER.pack(_ERROR, 0, 0, 0))
                client.send_bytes(str(error).encode())
                continue
            if picture is None:
                client.send_bytes(_HEADER.pack(_UNCHANGED, 0, 0, 0))
                continue
            channels = 1 if picture.ndim == 2 else picture.shape[2]
            os.pwrite(memory, np.ascontiguousarray(picture).data.cast("B"), 0)
            client.send_bytes(_HEADER.pack(picture.itemsize, *picture.shape[:2], channels))

    def _picture(
        self, exposure_us: float, gain_db: float, begin_ns: int, only_if_changed: bool
    ) -> Picture | None:
        if isinstance(self._render, Scenery):
            return self._render.seen(exposure_us, gain_db, begin_ns, only_if_changed=only_if_changed)
        return self._render(exposure_us, gain_db)


class RemotePictures(Scenery):
    """A `Scenery` that asks a `PictureServer`, and reconnects if the server was restarted."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._server: Connection | None = None
        self._memory = -1
        self._lock = threading.Lock()

    def seen(
        self, exposure_us: float, gain_db: float, begin_ns: int = 0, *, only_if_changed: bool = False
    ) -> Picture | None:
        """The picture of an exposure that begins at ``begin_ns``; see `Scenery`.

        Raises:
            DeviceLost: There is no server, or it has no picture.
        """
        with self._lock:
            try:
                # A new server does not know the last picture of this client.
                fresh = self._server is None or not only_if_changed
                return self._ask(exposure_us, gain_db, begin_ns, not fresh)
            except (OSError, EOFError, struct.error) as error:
                self._hang_up()
                raise DeviceLost(
                    f"no camera emulator serves {self._path} ({error}); start one with `dasha emulate camera`"
                ) from error

    def close(self) -> None:
        """Disconnect."""
        with self._lock:
            self._hang_up()

    def _ask(
        self, exposure_us: float, gain_db: float, begin_ns: int, only_if_changed: bool
    ) -> Picture | None:
        if self._server is None:
            self._server = Client(socket_address(self._path), "AF_UNIX")
            self._memory = recv_handle(self._server)
        self._server.send_bytes(_REQUEST.pack(exposure_us, gain_db, begin_ns, only_if_changed))
        size, height, width, channels = _HEADER.unpack(self._server.recv_bytes(_HEADER.size))
        if size == _UNCHANGED:
            return None
        if size == _ERROR:
            raise DeviceLost(f"the emulated camera has no picture: {self._server.recv_bytes().decode()}")
        shape = (height, width) if channels == 1 else (height, width, channels)
        data = os.pread(self._memory, height * width * channels * size, 0)
        if size == 1:
            return np.frombuffer(data, np.uint8).reshape(shape)
        return np.frombuffer(data, np.uint16).reshape(shape)

    def _hang_up(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._memory >= 0:
            os.close(self._memory)
            self._memory = -1
