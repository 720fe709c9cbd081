"""Events around a Basler camera: who is told before each picture, and the camera's own removal."""

from __future__ import annotations

import threading
from typing import Any, Protocol


class StreamListener(Protocol):
    """Told before each picture; it lets the device emulator paint for pylon's emulated camera."""

    def opened(self, node_map: Any) -> None:
        """The camera was set up and is not grabbing."""
        ...

    def planned(self, exposure_us: float, gain_db: float, begin_ns: int) -> None:
        """An exposure will be triggered at ``begin_ns`` of the camera's clock; until then there is time."""
        ...

    def before_trigger(self, exposure_us: float, gain_db: float) -> None:
        """An exposure is about to be triggered."""
        ...

    def free_running(self, exposure_us: float, gain_db: float, frame_rate_hz: float) -> None:
        """The camera is about to run freely."""
        ...

    def stopped(self) -> None:
        """The camera does not run freely any more."""
        ...


def flag_removal(camera: Any, removed: threading.Event) -> None:
    """Let pylon set ``removed`` when the camera goes."""
    from pypylon import pylon

    class Removal(pylon.ConfigurationEventHandler):  # type: ignore[misc]  # pylon comes without types
        def OnCameraDeviceRemoved(self, camera: Any) -> None:  # noqa: N802  # pylon's name
            removed.set()

    camera.RegisterConfiguration(Removal(), pylon.RegistrationMode_Append, pylon.Cleanup_Delete)
