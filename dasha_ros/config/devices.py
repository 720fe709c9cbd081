"""Parameters of the nodes that own camera and lens."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import FiniteFloat, model_validator

from dasha_ros.config.parameter import NodeConfig, parameter
from dasha_ros.twin.chromatic import CHROMATIC_DIOPTRES, MOST_CHROMATIC_DIOPTRES


def _stack() -> Any:
    return parameter("", "Stack only: folder of the focal stack, the same for camera and lens.", fixed=True)


def _recording() -> Any:
    return parameter(
        "",
        "Replay only: the recording, a file or a folder of `dasha record`; the same for camera and lens.",
        fixed=True,
    )


def _stack_step() -> Any:
    return parameter(
        1.0,
        "Stack only: smallest move of the lens, the same for camera and lens; below 1, frames are blended.",
        unit="frames",
        fixed=True,
        ge=0.05,
        le=1.0,
    )


def _driver() -> Any:
    return parameter(
        "",
        "ros_driver only: camera_ros, depthai-ros, usb_cam, realsense-ros, or the path of a YAML file that "
        "describes another driver.",
        fixed=True,
    )


def _driver_node() -> Any:
    return parameter(
        "",
        "ros_driver only: name of its node, with its namespace; empty: the driver's usual one.",
        fixed=True,
    )


def _driver_latency() -> Any:
    return parameter(
        "",
        "ros_driver only: file of the measured lag; empty: the one kept for this driver and node, else six "
        "frames are assumed.",
        fixed=True,
    )


class CameraDriverConfig(NodeConfig):
    """The node that owns the camera."""

    backend: Literal["twin", "pylon", "aravis", "v4l2", "stack", "replay", "ros_driver"] = parameter(
        "twin",
        "Which camera; aravis: GenICam of any vendor; v4l2: a webcam; ros_driver: a camera node of another "
        "package.",
        fixed=True,
    )
    serial: str = parameter(
        "",
        "Serial number, user-defined name or IP address; of a webcam also its bus path or /dev path; "
        "empty: the only camera.",
        fixed=True,
    )
    frame_id: str = parameter("camera_optical_frame", "frame_id in the images' headers.", fixed=True)
    camera_info_url: str = parameter(
        "",
        "Calibration for camera_info: file:///..., package://PACKAGE/... or a path; empty: "
        "${ROS_HOME}/camera_info/${NAME}.yaml, if it is there.",
        fixed=True,
    )
    width: int = parameter(
        2048, "Image width; a webcam uses its nearest size.", unit="px", fixed=True, ge=64, le=8192
    )
    height: int = parameter(
        1088, "Image height; a webcam uses its nearest size.", unit="px", fixed=True, ge=64, le=8192
    )
    encoding: Literal["mono8", "mono16", "rgb8"] = parameter(
        "mono8", "Image encoding; mono16 holds 12 bits, and a webcam has none.", fixed=True
    )
    offset_x: int = parameter(
        -1, "Left edge of the region of interest; -1: centred.", unit="px", fixed=True, ge=-1, le=16384
    )
    offset_y: int = parameter(
        -1, "Upper edge of the region of interest; -1: centred.", unit="px", fixed=True, ge=-1, le=16384
    )
    binning: int = parameter(1, "Pixels binned in both directions.", fixed=True, ge=1, le=4)
    packet_size: int = parameter(
        0,
        "Size of GigE packets, at most the network's MTU; 0: the camera's own setting.",
        unit="bytes",
        fixed=True,
        ge=0,
        le=16384,
    )
    frame_margin_s: FiniteFloat = parameter(
        0.5, "Time that a frame may take besides its exposure.", unit="s", fixed=True, ge=0.02, le=30.0
    )
    emulator: str = parameter(
        "",
        "Socket of `dasha emulate camera`, whose pictures pylon's emulator shows; empty: a real camera.",
        fixed=True,
    )
    webcam_format: Literal["fastest", "MJPG", "YUYV", "GREY"] = parameter(
        "fastest", "How a webcam sends its pictures; fastest: with the highest frame rate.", fixed=True
    )
    webcam_flicker: Literal["as_it_is", "off", "50", "60"] = parameter(
        "as_it_is", "Mains frequency in Hz that a webcam's exposure goes by.", fixed=True
    )
    webcam_controls: list[str] = parameter(
        [],
        "Other controls of a webcam to set while it is used, as NAME=VALUE, such as sharpness=0.",
        fixed=True,
    )
    webcam_latency: str = parameter(
        "",
        "File of a webcam's measured lag; empty: the one that `dasha calibrate latency` kept for the model.",
        fixed=True,
    )
    driver: str = _driver()
    driver_node: str = _driver_node()
    driver_topic: str = parameter(
        "",
        "ros_driver only: topic of its pictures; empty: the driver's usual one. One that ends in /compressed"
        " is JPEG or PNG.",
        fixed=True,
    )
    driver_latency: str = _driver_latency()
    lens_socket: str = parameter(
        "",
        "pylon only: socket at which the lens driver reaches the camera's own lens port; empty: none.",
        fixed=True,
    )
    gain_db: FiniteFloat = parameter(0.0, "Analog gain.", unit="dB", ge=0.0, le=36.0)
    initial_exposure_us: FiniteFloat = parameter(
        10_000.0, "Exposure before the first command.", unit="us", fixed=True, ge=1.0, le=10e6
    )
    exposure_max_us: FiniteFloat = parameter(
        1e6,
        "Longest exposure that the camera makes; beyond it, gain stands in. Shorter ones blur motion less.",
        unit="us",
        fixed=True,
        ge=1.0,
        le=10e6,
    )
    capture_mode: Literal["auto", "on_command", "free_running"] = parameter(
        "auto",
        "on_command: one exposure for each command. free_running: always the newest image. "
        "auto: on_command while a goal runs and for a second after a command, else a preview.",
    )
    preview_rate_hz: FiniteFloat = parameter(
        2.0,
        "Rate of pictures without a command, in auto and free_running; 0: none; from 10 on a stream.",
        unit="Hz",
        ge=0.0,
        le=200.0,
    )
    twin_seed: int = parameter(
        0, "Seed of the sensor noise of a twin or a stack.", fixed=True, ge=0, le=2**31 - 1
    )
    twin_latency_ms: FiniteFloat = parameter(
        0.0, "Time that the twin's camera keeps a finished frame.", unit="ms", fixed=True, ge=0.0, le=10_000.0
    )
    twin_chromatic_dioptres: FiniteFloat = parameter(
        CHROMATIC_DIOPTRES,
        "Twin with rgb8 only: how much nearer its lens focuses blue than red; 0: all colours alike.",
        unit="D",
        fixed=True,
        ge=-MOST_CHROMATIC_DIOPTRES,
        le=MOST_CHROMATIC_DIOPTRES,
    )
    stack: str = _stack()
    stack_step: FiniteFloat = _stack_step()
    recording: str = _recording()
    stack_tone: Literal["linear", "srgb"] = parameter(
        "linear", "Stack only: how grey levels follow the light.", fixed=True
    )


class LensDriverConfig(NodeConfig):
    """The node that owns the lens."""

    backend: Literal[
        "twin",
        "varioptic",
        "optotune",
        "optotune_icc",
        "v4l2",
        "stack",
        "replay",
        "indi",
        "pylon",
        "ros_driver",
    ] = parameter(
        "twin",
        "Which lens; optotune: at a Lens Driver 4; optotune_icc: at an ICC-1C or ICC-4C; v4l2: the focus "
        "motor of a webcam; indi: a motor focuser behind an INDI server; pylon: at the port of a Basler "
        "camera; ros_driver: of a camera node of another package.",
        fixed=True,
    )
    port: str = parameter(
        "",
        "Serial port of the lens board, or /dev path of a webcam; empty: found by serial number.",
        fixed=True,
    )
    serial: str = parameter(
        "",
        "Serial number of the USB bridge, or of a webcam, or its name or bus path; empty: whatever is at "
        "the port, or the only webcam.",
        fixed=True,
    )
    board: Literal["flexiboard", "caspian", "c-mount-com"] = parameter(
        "flexiboard", "Varioptic only: register map of the lens board.", fixed=True
    )
    profile: str = parameter(
        "physical",
        "Lens model: physical, paper, optotune, or the path of a table of measured positions. With a webcam "
        "or an Optotune lens only a table counts; without one, the webcam runs without a map, and the other "
        "takes optotune.",
        fixed=True,
    )
    webcam_latency: str = parameter(
        "",
        "File of a webcam's measured lag; empty: the one that `dasha calibrate latency` kept for the model.",
        fixed=True,
    )
    driver: str = _driver()
    driver_node: str = _driver_node()
    driver_latency: str = _driver_latency()
    temperature_min_c: FiniteFloat = parameter(
        20.0,
        "optotune only: least temperature at which focal powers shall be guaranteed.",
        unit="deg C",
        fixed=True,
        ge=-120.0,
        le=119.0,
    )
    temperature_max_c: FiniteFloat = parameter(
        45.0,
        "optotune only: greatest temperature at which focal powers shall be guaranteed.",
        unit="deg C",
        fixed=True,
        ge=-119.0,
        le=120.0,
    )
    icc_controller: Literal["icc-1c", "icc-4c"] = parameter(
        "icc-4c", "optotune_icc only: which controller.", fixed=True
    )
    icc_channel: int = parameter(
        0, "optotune_icc only: channel that the lens is at; an ICC-1C has only 0.", fixed=True, ge=0, le=3
    )
    icc_tolerance_dioptres: FiniteFloat = parameter(
        0.05,
        "optotune_icc only: how far the focal power that the controller says the lens has may be from what "
        "it was told.",
        unit="D",
        fixed=True,
        ge=0.005,
        le=1.0,
    )
    camera_socket: str = parameter(
        "", "pylon only: `lens_socket` of the camera driver that owns the camera.", fixed=True
    )
    indi_server: str = parameter(
        "localhost:7624", "INDI only: host and port of the server, with a colon between.", fixed=True
    )
    indi_device: str = parameter("", "INDI only: name of the focuser; empty: the only device.", fixed=True)
    indi_home: str = parameter(
        "",
        "INDI only: PROPERTY.SWITCH that makes the focuser find its reference, pressed once; empty: none.",
        fixed=True,
    )
    indi_backlash_steps: int = parameter(
        0, "INDI only: steps that are lost after a turn.", fixed=True, ge=0, le=1_000_000
    )
    indi_approach: Literal["either", "from_below", "from_above"] = parameter(
        "either",
        "INDI only: side from which positions are reached; moves from the other side first go farther by "
        "the backlash.",
        fixed=True,
    )
    indi_travel_timeout_s: FiniteFloat = parameter(
        30.0, "INDI only: how long a move may take.", unit="s", fixed=True, ge=0.1, le=600.0
    )
    reply_timeout_ms: FiniteFloat = parameter(
        50.0, "Time for the board to answer; not of optotune_icc.", unit="ms", fixed=True, ge=5.0, le=2_000.0
    )
    standby: bool = parameter(True, "Put the lens to rest when the node is deactivated.", fixed=True)
    settle_ms: FiniteFloat = parameter(
        0.0,
        "Time to rest after a move; 0: as the profile's table measured it, else as the back end has it.",
        unit="ms",
        ge=0.0,
        le=5_000.0,
    )
    initial_share: FiniteFloat = parameter(
        0.0,
        "Twin and stack: where the lens is when power comes; 0: at its least position, 1: at its greatest.",
        fixed=True,
        ge=0.0,
        le=1.0,
    )
    stack: str = _stack()
    stack_step: FiniteFloat = _stack_step()
    recording: str = _recording()

    @model_validator(mode="after")
    def _temperatures_are_a_range(self) -> LensDriverConfig:
        if not self.temperature_min_c < self.temperature_max_c:
            raise ValueError(
                f"temperature_min_c is {self.temperature_min_c:g}; it must be below temperature_max_c, "
                f"{self.temperature_max_c:g}"
            )
        return self
