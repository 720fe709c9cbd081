"""Back ends of the driver nodes by name. Hardware libraries are imported only when asked for."""

from __future__ import annotations

from dasha_ros.config import CameraDriverConfig, LensDriverConfig
from dasha_ros.devices.camera import Camera
from dasha_ros.devices.lens import Lens
from dasha_ros.optics.lens import lens_model
from dasha_ros.timing.clock import Clock


def camera_backend(config: CameraDriverConfig, clock: Clock) -> Camera:
    """The camera that a configuration names, not yet opened."""
    from dasha_ros.devices.twin import TwinCamera

    return TwinCamera(
        clock,
        lens_model("physical"),
        width=config.width,
        height=config.height,
        encoding=config.encoding,
        seed=config.twin_seed,
        latency_s=config.twin_latency_ms / 1e3,
    )


def lens_backend(config: LensDriverConfig, clock: Clock) -> Lens:
    """The lens that a configuration names, not yet opened."""
    from dasha_ros.devices.twin import TwinLens

    return TwinLens(clock, lens_model(config.profile), initial_volts=config.initial_volts)
