"""Converts messages to the dataclasses of the lower floors, and back."""

from __future__ import annotations

import array

import numpy as np

from dasha_ros import msg
from dasha_ros.devices.camera import CameraLimits
from dasha_ros.freshness.command import CommandId, FrameId
from dasha_ros.freshness.state import CaptureInfo, LensMove, LensState
from dasha_ros.optics.actuator import PowerTrajectory
from dasha_ros.optics.lens import MEASURED
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.perception.percept import NO_DETAIL, Box, Detection, Percept
from dasha_ros.perception.quality.detail import SHAPE
from dasha_ros.perception.quality.light import Light
from dasha_ros.ros.transport.stamps import to_ns, to_stamp


def id_from_msg(message: msg.CommandId) -> CommandId:
    """`CommandId` of a message."""
    return CommandId(message.sender, message.sequence)


def id_to_msg(command: CommandId) -> msg.CommandId:
    """Message of a `CommandId`."""
    return msg.CommandId(sender=command.sender, sequence=command.sequence)


def frame_from_msg(message: msg.FrameId) -> FrameId:
    """`FrameId` of a message."""
    return FrameId(message.driver, message.sequence)


def frame_to_msg(frame: FrameId) -> msg.FrameId:
    """Message of a `FrameId`."""
    return msg.FrameId(driver=frame.driver, sequence=frame.sequence)


def capture_from_msg(message: msg.CaptureInfo) -> CaptureInfo:
    """`CaptureInfo` of a message."""
    return CaptureInfo(
        stamp_ns=to_ns(message.header.stamp),
        exposure_us=message.exposure_us,
        gain_db=message.gain_db,
        exposure_command=id_from_msg(message.exposure_command),
        sequence=message.sequence,
        ready_ns=to_ns(message.ready),
        driver=message.driver,
        lens=LensMove(message.lens_driver, message.lens_move, id_from_msg(message.lens_command)),
    )


def capture_to_msg(capture: CaptureInfo, frame_id: str) -> msg.CaptureInfo:
    """Message of a `CaptureInfo`."""
    message = msg.CaptureInfo(
        exposure_us=float(capture.exposure_us),
        gain_db=float(capture.gain_db),
        exposure_command=id_to_msg(capture.exposure_command),
        sequence=capture.sequence,
        ready=to_stamp(capture.ready_ns),
        driver=capture.driver,
        lens_driver=capture.lens.driver,
        lens_move=capture.lens.move,
        lens_command=id_to_msg(capture.lens.command),
    )
    message.header.stamp = to_stamp(capture.stamp_ns)
    message.header.frame_id = frame_id
    return message


def limits_from_msg(message: msg.CameraLimits) -> CameraLimits:
    """`CameraLimits` of a message."""
    return CameraLimits(
        width=message.width,
        height=message.height,
        encoding=message.encoding,
        exposure_min_us=message.exposure_min_us,
        exposure_max_us=message.exposure_max_us,
        gain_min_db=message.gain_min_db,
        gain_max_db=message.gain_max_db,
    )


def limits_to_msg(limits: CameraLimits, node: str = "") -> msg.CameraLimits:
    """Message of a `CameraLimits`; ``node`` is the sender."""
    return msg.CameraLimits(
        node=node,
        width=limits.width,
        height=limits.height,
        encoding=limits.encoding,
        exposure_min_us=float(limits.exposure_min_us),
        exposure_max_us=float(limits.exposure_max_us),
        gain_min_db=float(limits.gain_min_db),
        gain_max_db=float(limits.gain_max_db),
    )


def lens_from_msg(message: msg.LensState) -> LensState:
    """`LensState` of a message."""
    return LensState(
        command=id_from_msg(message.command),
        unit=message.unit,
        commanded_position=message.commanded_position,
        position=message.position,
        focus_distance_m=message.focus_distance_m,
        settled=message.settled,
        settled_at_ns=to_ns(message.settled_at),
        faults=tuple(message.faults),
        driver=message.driver,
        sequence=message.sequence,
        move=message.move,
        settle_s=message.settle_s,
    )


def lens_to_msg(lens: LensState, now_ns: int = 0, refused: int = 0, last_refusal: str = "") -> msg.LensState:
    """Message of a `LensState`."""
    message = msg.LensState(
        command=id_to_msg(lens.command),
        unit=lens.unit,
        commanded_position=float(lens.commanded_position),
        position=float(lens.position),
        focus_distance_m=float(lens.focus_distance_m),
        settled=lens.settled,
        settled_at=to_stamp(lens.settled_at_ns),
        faults=list(lens.faults),
        driver=lens.driver,
        sequence=lens.sequence,
        move=lens.move,
        settle_s=float(lens.settle_s),
        refused=refused,
        last_refusal=last_refusal,
    )
    message.header.stamp = to_stamp(now_ns)
    return message


def lens_info_from_msg(message: msg.LensInfo) -> LensInfo:
    """`LensInfo` of a message.

    Raises:
        LensInfoError: No lens is like that.
    """
    return LensInfo(
        unit=message.unit,
        position_min=message.position_min,
        position_max=message.position_max,
        resolution=message.resolution,
        settle_s=message.settle_s,
        play=message.play,
        approach=message.approach,
        profile=message.profile,
        map_positions=tuple(message.map_positions),
        map_dioptres=tuple(message.map_dioptres),
        blur_px_per_dioptre=message.blur_px_per_dioptre,
        blur_doubt=message.blur_doubt or MEASURED,
    )


def lens_info_to_msg(info: LensInfo, node: str = "") -> msg.LensInfo:
    """Message of a `LensInfo`; ``node`` is the sender."""
    return msg.LensInfo(
        node=node,
        unit=info.unit,
        position_min=float(info.position_min),
        position_max=float(info.position_max),
        resolution=float(info.resolution),
        settle_s=float(info.settle_s),
        play=float(info.play),
        approach=info.approach,
        profile=info.profile,
        map_positions=list(map(float, info.map_positions)),
        map_dioptres=list(map(float, info.map_dioptres)),
        blur_px_per_dioptre=float(info.blur_px_per_dioptre),
        blur_doubt=float(info.blur_doubt),
    )


def trajectory_to_msg(
    moves: PowerTrajectory, state: msg.LensState | None = None, node: str = ""
) -> msg.TwinLens:
    """Message of a lens's trajectory; ``state`` is what its driver reports, ``node`` the sender."""
    return msg.TwinLens(
        node=node,
        state=state or msg.LensState(),
        moved_at=to_stamp(moves.moved_at_ns),
        start_dioptres=float(moves.start_dioptres),
        target_dioptres=float(moves.target_dioptres),
        time_constant_s=float(moves.time_constant_s),
    )


def box_from_msg(message: msg.Region) -> Box | None:
    """A part of the picture, as fractions of its width and height; ``None`` if all are zero."""
    edges = message.x_min, message.y_min, message.x_max, message.y_max
    return edges if any(edges) else None


def box_to_msg(box: Box | None) -> msg.Region:
    """The inverse of `box_from_msg`."""
    return msg.Region(
        **dict(zip(("x_min", "y_min", "x_max", "y_max"), map(float, box or (0,) * 4), strict=True))
    )


def detection_from_msg(message: msg.Detection) -> Detection:
    """`Detection` of a message."""
    return Detection(
        label=message.label,
        score=message.score,
        box=(message.x_min, message.y_min, message.x_max, message.y_max),
        sharpness=message.sharpness,
        light=light_from_msg(message.light),
    )


def light_from_msg(message: msg.Light) -> Light | None:
    """`Light` of a message; ``None`` if it was not measured."""
    if not message.measured:
        return None
    return Light(message.mean_grey, message.dark_grey, message.bright_share)


def light_to_msg(light: Light | None) -> msg.Light:
    """Message of a `Light`."""
    if light is None:
        return msg.Light()
    return msg.Light(
        measured=True,
        mean_grey=float(light.mean_grey),
        dark_grey=float(light.dark_grey),
        bright_share=float(light.bright_share),
    )


def detection_to_msg(detection: Detection) -> msg.Detection:
    """Message of a `Detection`."""
    x_min, y_min, x_max, y_max = map(float, detection.box)
    return msg.Detection(
        label=detection.label,
        score=float(detection.score),
        x_min=x_min,
        y_min=y_min,
        x_max=x_max,
        y_max=y_max,
        sharpness=float(detection.sharpness),
        light=light_to_msg(detection.light),
    )


def percept_from_msg(message: msg.Percept) -> Percept:
    """`Percept` of a message. The latent vector and the maps of detail share the message's memory."""
    return Percept(
        capture=capture_from_msg(message.capture),
        lens=lens_from_msg(message.lens),
        width=message.width,
        height=message.height,
        encoder=message.encoder,
        latent=np.frombuffer(message.latent, np.float32),
        histogram_counts=np.asarray(message.histogram_counts, np.uint32),
        histogram_edges=np.asarray(message.histogram_edges, np.float32),
        histogram_peak=message.histogram_peak,
        mean_grey=message.mean_grey,
        brisque=message.brisque,
        sharpness=message.sharpness,
        detail=np.frombuffer(message.detail, np.uint8).reshape(SHAPE if len(message.detail) else NO_DETAIL),
        colour_detail=np.frombuffer(message.colour_detail, np.uint8).reshape(-1, *SHAPE),
        detections=tuple(detection_from_msg(d) for d in message.detections),
        stage_ms=dict(zip(message.stage_names, message.stage_ms, strict=False)),
        light=light_from_msg(message.light),
        flicker_hz=message.flicker_hz,
    )


def percept_to_msg(percept: Percept, frame_id: str, node: str = "") -> msg.Percept:
    """Message of a `Percept`; ``node`` is the sender."""
    capture = capture_to_msg(percept.capture, frame_id)
    return msg.Percept(
        header=capture.header,
        node=node,
        capture=capture,
        lens=lens_to_msg(percept.lens),
        width=percept.width,
        height=percept.height,
        encoder=percept.encoder,
        latent=array.array("f", percept.latent.astype(np.float32, copy=False).tobytes()),
        histogram_counts=percept.histogram_counts,
        histogram_edges=percept.histogram_edges,
        histogram_peak=float(percept.histogram_peak),
        mean_grey=float(percept.mean_grey),
        brisque=float(percept.brisque),
        sharpness=float(percept.sharpness),
        detail=array.array("B", percept.detail.tobytes()),
        colour_detail=array.array("B", percept.colour_detail.tobytes()),
        detections=[detection_to_msg(d) for d in percept.detections],
        light=light_to_msg(percept.light),
        flicker_hz=float(percept.flicker_hz),
        stage_names=list(percept.stage_ms),
        stage_ms=array.array("f", percept.stage_ms.values()),
    )
