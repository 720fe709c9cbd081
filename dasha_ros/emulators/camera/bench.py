"""A bench for pylon's emulated camera, whose cable can be pulled.

The emulator itself simulates damaged frames and a failing stream, but no removal. The bench does that, with
the errors that real cameras raise.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dasha_ros.devices.pylon.discovery import chosen, described
from dasha_ros.emulators.camera.pictures import enable_emulator

REMOVED = "The camera device has been physically removed."
HELD = (
    "The device is controlled by another application. Err: An attempt was made to access an address location"
)


class CameraBench:
    """Provides cameras to `attach` to, and makes them fail.

    Pass `attach` to `PylonCamera` instead of its default.
    """

    def __init__(self) -> None:
        enable_emulator()
        self._cameras: list[BenchCamera] = []
        self.plugged = True
        self.serial_number = ""
        """Serial number of another camera that replaces the emulator's; empty for the emulator's own."""
        self.announces_removal = True
        """Whether pylon notices a removed camera; real systems sometimes do not."""
        self.held = False
        """Whether another process holds the camera."""
        self.swallowed_triggers = 0
        """The next triggers that produce no frame, although the camera is connected."""
        self.damages_frames = False
        """Whether every frame is incomplete."""
        self.stream_dies = False
        """Whether every stream fails at its next trigger."""
        self.mute = False
        """Whether a streaming camera produces no frames."""

    def attach(self, address: str) -> BenchCamera:
        """Attach to the emulated camera that ``address`` names; empty for the only one.

        Raises:
            DeviceLost: It is unplugged, or has another serial number.
        """
        from pypylon import pylon

        layer = pylon.TlFactory.GetInstance().CreateTl("BaslerCamEmu")
        infos = layer.EnumerateDevices() if self.plugged else []
        found = [described(info) for info in infos]
        if self.serial_number:
            found = [replace(camera, serial_number=self.serial_number) for camera in found]
        camera = BenchCamera(self, pylon.InstantCamera(layer.CreateDevice(infos[chosen(found, address)])))
        self._cameras = [camera]
        return camera

    def unplug(self) -> None:
        """Pull the cable. The camera loses its power, and so its settings."""
        self.plugged = False
        for camera in self._cameras:
            camera.vanish()

    def plug(self) -> None:
        """Plug the camera in again; whoever had it open must open it again."""
        self.plugged = True

    def damage_frames(self, count: int) -> None:
        """Make the next ``count`` frames incomplete."""
        for camera in self._cameras:
            camera.real.ForceFailedBufferCount.Value = count
            camera.real.ForceFailedBuffer.Execute()

    def kill_stream(self) -> None:
        """End the stream with an error; the camera stays open."""
        for camera in self._cameras:
            camera.real.GetStreamGrabberNodeMap().GetNode("ImposedError").SetValue("the stream broke down")


class BenchCamera:
    """An ``InstantCamera`` that fails as its bench says."""

    def __init__(self, bench: CameraBench, real: Any) -> None:
        self._bench = bench
        self.real = real
        self.gone = False
        self._handlers: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        """Everything else is pylon's."""
        self._check()
        return getattr(self.real, name)

    def vanish(self) -> None:
        """Be unplugged; pylon calls its handlers if it notices."""
        self.gone = True
        if self._bench.announces_removal:
            for handler in self._handlers:
                handler.OnCameraDeviceRemoved(self.real)

    def RegisterConfiguration(self, handler: Any, mode: Any, cleanup: Any) -> None:  # noqa: N802  # pylon's name
        """Remember the handler."""
        self._check()
        self._handlers.append(handler)
        self.real.RegisterConfiguration(handler, mode, cleanup)

    def Open(self) -> None:  # noqa: N802  # pylon's name
        """Open the camera, unless another process holds it."""
        self._check()
        if self._bench.held:
            from pypylon import genicam

            raise genicam.RuntimeException(HELD)
        self.real.Open()

    def IsCameraDeviceRemoved(self) -> bool:  # noqa: N802  # pylon's name
        """Whether pylon noticed the removal."""
        return self.gone and self._bench.announces_removal

    def ExecuteSoftwareTrigger(self) -> None:  # noqa: N802  # pylon's name
        """Begin an exposure, or ignore the trigger, like a camera whose removal went unnoticed."""
        self._check()
        if self.gone:
            return
        if self._bench.damages_frames:
            self._bench.damage_frames(1)
        if self._bench.stream_dies:
            self._bench.kill_stream()
        if self._bench.swallowed_triggers > 0:
            self._bench.swallowed_triggers -= 1
            return
        self.real.ExecuteSoftwareTrigger()

    def RetrieveResult(self, timeout_ms: int, handling: Any) -> Any:  # noqa: N802  # pylon's name
        """The next frame, unless the camera is mute."""
        self._check()
        result = self.real.RetrieveResult(timeout_ms, handling)
        if self._bench.mute and result.IsValid():
            result.Release()
        return result

    def Close(self) -> None:  # noqa: N802  # pylon's name
        """Close the camera; works on a removed camera, as with a real one."""
        self._handlers.clear()
        self.real.Close()

    def DestroyDevice(self) -> None:  # noqa: N802  # pylon's name
        """Destroy the device."""
        self.real.DestroyDevice()

    def StopGrabbing(self) -> None:  # noqa: N802  # pylon's name
        """Stop the stream."""
        self.real.StopGrabbing()

    def IsGrabbing(self) -> bool:  # noqa: N802  # pylon's name
        """Whether the stream is running."""
        return bool(self.real.IsGrabbing())

    def _check(self) -> None:
        if self.gone and self._bench.announces_removal:
            from pypylon import genicam

            raise genicam.RuntimeException(REMOVED)
