"""pylon's emulated camera on a bench where somebody pulls cables.

The emulator simulates damaged frames and a dying stream by itself, but no removal: that is
played here, with the errors that real cameras were seen to raise.
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
    """Cameras to `attach` to, and ways to spoil them.

    Give `attach` to `PylonCamera` in place of its own.
    """

    def __init__(self) -> None:
        enable_emulator()
        self._cameras: list[BenchCamera] = []
        self.plugged = True
        self.serial_number = ""
        """Of another camera that was plugged in instead; empty: the emulator's own."""
        self.announces_removal = True
        """Whether pylon notices by itself that a camera is gone; real systems sometimes do not."""
        self.held = False
        """Whether another process has the camera."""
        self.swallowed_triggers = 0
        """So many triggers make no frame: the camera is there but silent."""
        self.damages_frames = False
        """Whether every frame is incomplete."""
        self.stream_dies = False
        """Whether every stream breaks down with its next trigger."""
        self.mute = False
        """Whether a free-running camera is silent, too."""

    def attach(self, address: str) -> BenchCamera:
        """The emulated camera that ``address`` names (empty: the only one).

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
        """Pull the cable. Its settings are lost with its power."""
        self.plugged = False
        for camera in self._cameras:
            camera.vanish()

    def plug(self) -> None:
        """Plug it in again; who had it open must open it anew."""
        self.plugged = True

    def damage_frames(self, count: int) -> None:
        """Let the next ``count`` frames be incomplete."""
        for camera in self._cameras:
            camera.real.ForceFailedBufferCount.Value = count
            camera.real.ForceFailedBuffer.Execute()

    def kill_stream(self) -> None:
        """Let the stream end with an error while the camera stays open."""
        for camera in self._cameras:
            camera.real.GetStreamGrabberNodeMap().GetNode("ImposedError").SetValue("the stream broke down")


class BenchCamera:
    """An ``InstantCamera`` that obeys its bench."""

    def __init__(self, bench: CameraBench, real: Any) -> None:
        self._bench = bench
        self.real = real
        self.gone = False
        self._handlers: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        """Everything that is not spoilt here is pylon's."""
        self._check()
        return getattr(self.real, name)

    def vanish(self) -> None:
        """Be unplugged; pylon tells its handlers, if it notices."""
        self.gone = True
        if self._bench.announces_removal:
            for handler in self._handlers:
                handler.OnCameraDeviceRemoved(self.real)

    def RegisterConfiguration(self, handler: Any, mode: Any, cleanup: Any) -> None:  # noqa: N802  # pylon's name
        """Remember whom to tell."""
        self._check()
        self._handlers.append(handler)
        self.real.RegisterConfiguration(handler, mode, cleanup)

    def Open(self) -> None:  # noqa: N802  # pylon's name
        """Open, unless another process has it."""
        self._check()
        if self._bench.held:
            from pypylon import genicam

            raise genicam.RuntimeException(HELD)
        self.real.Open()

    def IsCameraDeviceRemoved(self) -> bool:  # noqa: N802  # pylon's name
        """Whether pylon noticed."""
        return self.gone and self._bench.announces_removal

    def ExecuteSoftwareTrigger(self) -> None:  # noqa: N802  # pylon's name
        """Begin an exposure, or swallow the trigger, as a camera does whose removal went unnoticed."""
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
        """Close; works on a camera that is gone, as with a real one."""
        self._handlers.clear()
        self.real.Close()

    def DestroyDevice(self) -> None:  # noqa: N802  # pylon's name
        """Destroy."""
        self.real.DestroyDevice()

    def StopGrabbing(self) -> None:  # noqa: N802  # pylon's name
        """Stop."""
        self.real.StopGrabbing()

    def IsGrabbing(self) -> bool:  # noqa: N802  # pylon's name
        """Whether the stream runs."""
        return bool(self.real.IsGrabbing())

    def _check(self) -> None:
        if self.gone and self._bench.announces_removal:
            from pypylon import genicam

            raise genicam.RuntimeException(REMOVED)
