"""The digital twin's camera and lens as a rig in one process; see `camera_rig`."""

from __future__ import annotations

from collections.abc import Callable

from dasha_ros.control.camera_rig import CameraRig
from dasha_ros.devices.twin.camera import TwinCamera
from dasha_ros.optics.exposure_table import ExposureTable
from dasha_ros.optics.lens import LensProfile
from dasha_ros.perception.pipeline import Perception
from dasha_ros.twin.world import World


class TwinRig(CameraRig):
    """Implements `Rig` over the twin; see `CameraRig`."""

    _camera: TwinCamera

    def __init__(
        self,
        perception: Perception,
        world: World | None = None,
        *,
        position: float | None = None,
        exposure_us: float = 10_000.0,
        lens: LensProfile | None = None,
        table: ExposureTable | None = None,
        width: int = 2048,
        height: int = 1088,
        encoding: str = "mono8",
        seed: int | None = 0,
        hysteresis: float | None = None,
        binned: bool = False,
        camera: Callable[..., TwinCamera] = TwinCamera,
    ) -> None:
        """Read the photographs and put everything in place.

        Args:
            perception: Reads the frames; rigs that take turns may share it.
            world: What the camera sees; the default scene if left out.
            position: Where the lens is; left out: at its least position.
            exposure_us: Exposure at the start [us].
            lens: The twin's lens, and the map that policies know; ``physical`` if left out.
            table: A^H's exposures; those of the paper's camera if left out.
            width: Width of the frame [px].
            height: Height of the frame [px].
            encoding: ``mono8``, ``mono16`` or ``rgb8``.
            seed: Seed of the sensor's noise; ``None``: new noise every time.
            hysteresis: Half width of the lens's play, in its unit; left out: as the profile has it.
            binned: Frames are those of a sensor twice as wide and high, binned; see `TwinCamera`.
            camera: Makes the camera, from the arguments of `TwinCamera`.

        Raises:
            DeviceError: The scene can't be used, or a value is out of range.
        """
        super().__init__(
            perception, encoding, lens=lens, table=table, position=position, hysteresis=hysteresis
        )
        self._camera = camera(
            self.clock,
            self.lens,
            world=world,
            width=width,
            height=height,
            encoding=encoding,
            seed=seed,
            binned=binned,
            exposure_min_us=self.table.t_min_us,
            exposure_max_us=self.table.t_max_us,
        )
        self._camera.open()
        self.place(self._camera.world, self._start, exposure_us)

    def begin(self, world: World, position: float, exposure_us: float, seed: int) -> None:
        """Begin an episode that does not depend on what was played before.

        Args:
            world: What the camera sees.
            position: Where the lens rests.
            exposure_us: Exposure at the start [us].
            seed: Seed of the sensor's noise.

        Raises:
            DeviceError: A value is out of range.
            SceneError: The scene can't be used.
            AssetMissing: A photograph is not on this machine.
        """
        # The play remembers the last episode. From the lower end to half the play above the start and back,
        # the lens rests in the middle of its play, as a lens does that the cache's rig makes anew.
        above = min(position + self.lens.drive.hysteresis, self.lens.position_max)
        for end in (self.lens.position_min, above):
            self.place(world, end, exposure_us)
        self.place(world, position, exposure_us, seed)

    def place(self, world: World, position: float, exposure_us: float, seed: int | None = None) -> None:
        """Restart: another world, the lens at rest at ``position``, no commands yet.

        Args:
            world: What the camera sees.
            position: Where the lens is.
            exposure_us: Exposure at the start [us].
            seed: Seed of the sensor's noise from now on; left out: the noise continues.

        Raises:
            DeviceError: A value is out of range.
            SceneError: The scene can't be used.
            AssetMissing: A photograph is not on this machine.
        """
        self._camera.set_world(world)
        self._restart(position, world.temperature_c)
        self._camera.set_trajectory(self._lens.trajectory)
        self._set_exposure(exposure_us)
        if seed is not None:
            self._camera.seed_noise(seed)
