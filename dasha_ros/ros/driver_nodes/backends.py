"""Creates the devices and models that a configuration names. Hardware libraries are imported on demand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dasha_ros.config import CameraDriverConfig, LensDriverConfig, PerceptionConfig
from dasha_ros.devices.camera import Camera
from dasha_ros.devices.lens import Lens
from dasha_ros.freshness.clock import Clock
from dasha_ros.optics.lens_info import EITHER_SIDE, FROM_ABOVE, FROM_BELOW
from dasha_ros.optics.profiles import lens_model
from dasha_ros.ros.driver_nodes.lens_boards import (
    measured,
    optotune_icc_lens,
    optotune_lens,
    own_table,
    varioptic_lens,
)
from dasha_ros.ros.driver_nodes.recorded import replay_camera, replay_lens, stack_camera, stack_lens
from dasha_ros.system.extras import require

if TYPE_CHECKING:
    from rclpy.node import Node

    from dasha_ros.devices.aravis.device import AravisSettings
    from dasha_ros.devices.pylon.device import PylonSettings
    from dasha_ros.devices.pylon.lens_port import LensPortServer
    from dasha_ros.perception.pipeline import Perception
    from dasha_ros.ros.driver.port import DriverPort
    from dasha_ros.ros.driver.table import DriverDescription

    Genicam = TypeVar("Genicam", PylonSettings, AravisSettings)


def camera_backend(config: CameraDriverConfig, clock: Clock, node: Node | None = None) -> Camera:
    """The camera that a configuration names, not yet opened.

    Args:
        config: Which, and how.
        clock: On which exposures take their time.
        node: Owns it; a camera behind another node's topics needs it.

    Raises:
        ExtraMissing: Its library is not installed.
        ValueError: It can't be as configured, such as a focal stack that is none.
    """
    if config.backend == "ros_driver":
        assert node is not None
        return _driver_camera(config, clock, node)
    makers = {
        "twin": _twin_camera,
        "pylon": _pylon,
        "aravis": _aravis,
        "v4l2": _webcam_camera,
        "stack": stack_camera,
        "replay": replay_camera,
    }
    return makers[config.backend](config, clock)


def lens_port(config: CameraDriverConfig, camera: Camera) -> LensPortServer | None:
    """Serves the camera's own lens port to the lens driver, not started yet; ``None``: it shall not."""
    if config.backend != "pylon" or not config.lens_socket:
        return None
    from dasha_ros.devices.pylon.camera import PylonCamera
    from dasha_ros.devices.pylon.lens_port import LensPortServer

    assert isinstance(camera, PylonCamera)
    return LensPortServer(Path(config.lens_socket), camera)


def lens_backend(config: LensDriverConfig, clock: Clock, node: Node | None = None) -> Lens:
    """The lens that a configuration names, not yet opened; see `camera_backend`.

    Raises:
        ExtraMissing: Its library is not installed.
        ValueError: The profile can't be used, or is in another unit than the lens; or a focal stack is none.
    """
    if config.backend == "ros_driver":
        assert node is not None
        return _driver_lens(config, clock, node)
    makers = {
        "twin": _twin_lens,
        "varioptic": varioptic_lens,
        "optotune": optotune_lens,
        "optotune_icc": optotune_icc_lens,
        "v4l2": _webcam_lens,
        "stack": stack_lens,
        "replay": replay_lens,
        "indi": _indi,
        "pylon": _pylon_lens,
    }
    return makers[config.backend](config, clock)


def perception_of(config: PerceptionConfig) -> Perception:
    """Load the models that a configuration names.

    Raises:
        ModelError: A model is missing, corrupt or not the expected one.
    """
    # The driver nodes need neither OpenCV nor ONNX Runtime and start faster without them.
    from dasha_ros.perception.detectors.elsewhere import Elsewhere
    from dasha_ros.perception.pipeline import Perception

    elsewhere = Elsewhere(config.detector_topic, config.detector_labels) if config.detector_topic else None
    return Perception(
        encoder=config.encoder,
        encoder_weights=config.encoder_weights or None,
        detector=elsewhere or config.detector,
        detector_weights=config.detector_weights or None,
        detector_size=config.detector_size_px,
        detector_classes=config.detector_classes,
        min_score=config.min_score,
        colour_detail=config.colour_detail,
    )


def _twin_camera(config: CameraDriverConfig, clock: Clock) -> Camera:
    from dasha_ros.devices.twin.camera import TwinCamera

    return TwinCamera(
        clock,
        lens_model("physical"),
        width=config.width,
        height=config.height,
        encoding=config.encoding,
        seed=config.twin_seed,
        latency_s=config.twin_latency_ms / 1e3,
        chromatic_dioptres=config.twin_chromatic_dioptres,
    )


def _pylon(config: CameraDriverConfig, clock: Clock) -> Camera:
    require("hardware", "a Basler camera", "pypylon")
    from dasha_ros.devices.pylon.camera import PylonCamera
    from dasha_ros.devices.pylon.device import PylonSettings

    feed = None
    if config.emulator:
        from dasha_ros.emulators.camera.pictures import PictureFeed, enable_emulator
        from dasha_ros.emulators.camera.server import RemotePictures

        enable_emulator()
        feed = PictureFeed(RemotePictures(Path(config.emulator)))
    return PylonCamera(_genicam(PylonSettings, config), clock, listener=feed)


def _aravis(config: CameraDriverConfig, clock: Clock) -> Camera:
    from dasha_ros.devices.aravis.camera import AravisCamera
    from dasha_ros.devices.aravis.device import AravisSettings
    from dasha_ros.devices.aravis.library import aravis

    aravis()
    return AravisCamera(_genicam(AravisSettings, config), clock)


def _genicam(kind: type[Genicam], config: CameraDriverConfig) -> Genicam:
    """What every GenICam camera is set up with."""
    centred = config.offset_x < 0 or config.offset_y < 0
    return kind(
        address=config.serial,
        encoding=config.encoding,
        width=config.width,
        height=config.height,
        offset=None if centred else (config.offset_x, config.offset_y),
        binning=config.binning,
        exposure_us=config.initial_exposure_us,
        gain_db=config.gain_db,
        packet_size=config.packet_size,
        margin_s=config.frame_margin_s,
    )


def _twin_lens(config: LensDriverConfig, clock: Clock) -> Lens:
    from dasha_ros.devices.twin.lens import TwinLens

    profile = lens_model(config.profile)
    start = profile.position_min + config.initial_share * (profile.position_max - profile.position_min)
    return TwinLens(clock, profile, initial_position=start)


def _indi(config: LensDriverConfig, clock: Clock) -> Lens:
    require("indi", "an INDI focuser", "indipyclient")
    from dasha_ros.devices.indi.lens import IndiLens
    from dasha_ros.devices.indi.settings import IndiSettings

    settings = IndiSettings(
        server=config.indi_server,
        device=config.indi_device,
        home=config.indi_home,
        backlash_steps=config.indi_backlash_steps,
        approach={"either": EITHER_SIDE, "from_below": FROM_BELOW, "from_above": FROM_ABOVE}[
            config.indi_approach
        ],
        travel_timeout_s=config.indi_travel_timeout_s,
    )
    profile = own_table(config)
    return IndiLens(measured(settings, profile), clock, profile)


def _pylon_lens(config: LensDriverConfig, clock: Clock) -> Lens:
    from dasha_ros.devices.pylon.lens import PylonLens, PylonLensSettings
    from dasha_ros.devices.pylon.lens_port import RemoteLensPort

    if not config.camera_socket:
        raise ValueError(
            "a lens at a camera's port needs `camera_socket`, the `lens_socket` of the camera driver"
        )
    profile = own_table(config)
    settings = measured(PylonLensSettings(), profile)
    return PylonLens(RemoteLensPort(Path(config.camera_socket)), settings, clock, profile)


def _driver_camera(config: CameraDriverConfig, clock: Clock, node: Node) -> Camera:
    from dasha_ros.ros.driver.camera import DriverCamera, DriverSettings
    from dasha_ros.ros.driver.table import driver_named
    from dasha_ros.ros.driver.taken import notes_folder

    description = driver_named(config.driver)
    settings = DriverSettings(
        node=config.driver_node,
        exposure_us=config.initial_exposure_us,
        gain_db=config.gain_db,
        latency=config.driver_latency,
        margin_s=config.frame_margin_s,
        notes=notes_folder(node.context.get_domain_id()),
    )
    make_port = _driver_port(description, node, config.driver_node, config.driver_topic)
    return DriverCamera(description, settings, make_port, clock)


def _driver_lens(config: LensDriverConfig, clock: Clock, node: Node) -> Lens:
    from dasha_ros.ros.driver.lens import DriverLens
    from dasha_ros.ros.driver.table import driver_named
    from dasha_ros.ros.driver.taken import notes_folder

    description = driver_named(config.driver)
    profile = own_table(config)
    return DriverLens(
        description,
        _driver_port(description, node, config.driver_node, ""),
        node=config.driver_node,
        latency=config.driver_latency,
        clock=clock,
        profile=profile,
        notes=notes_folder(node.context.get_domain_id()),
    )


def _driver_port(
    description: DriverDescription, node: Node, driver_node: str, topic: str
) -> Callable[[], DriverPort]:
    from dasha_ros.ros.driver.ros_port import RosDriverPort
    from dasha_ros.ros.transport.stamps import RosClock

    clock = RosClock(node.get_clock())
    return lambda: RosDriverPort(node, clock, description, driver_node, topic)


def _webcam_camera(config: CameraDriverConfig, clock: Clock) -> Camera:
    require("webcam", "a webcam", "linuxpy")
    from dasha_ros.devices.v4l2.camera import WebcamCamera, WebcamSettings

    flicker = {"as_it_is": -1, "off": 0}.get(config.webcam_flicker)
    settings = WebcamSettings(
        address=config.serial,
        encoding=config.encoding,
        width=config.width,
        height=config.height,
        pixels="" if config.webcam_format == "fastest" else config.webcam_format,
        exposure_us=config.initial_exposure_us,
        gain_db=config.gain_db,
        power_line_hz=int(config.webcam_flicker) if flicker is None else flicker,
        controls=tuple(config.webcam_controls),
        latency=config.webcam_latency,
        margin_s=config.frame_margin_s,
    )
    return WebcamCamera(settings, clock)


def _webcam_lens(config: LensDriverConfig, clock: Clock) -> Lens:
    require("webcam", "the lens of a webcam", "linuxpy")
    from dasha_ros.devices.v4l2.lens import WebcamLens

    profile = own_table(config)
    return WebcamLens(config.port or config.serial, config.webcam_latency, clock, profile)
