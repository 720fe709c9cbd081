"""Which cameras and lenses are there, and the parameters that choose one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dasha_ros.config.ros_value import Value
    from dasha_ros.devices.v4l2.discovery import WebcamFound

LOOK_S = 2.0
"""How long camera nodes of ROS are looked for [s]."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A camera or a lens that can be chosen."""

    name: str
    """As ``--camera`` and ``--lens`` take it."""
    what: str
    """For people."""
    parameters: Mapping[str, Value] = field(default_factory=dict)
    """``node.parameter`` and value."""
    rig: str = ""
    """A rig that must be named beside the parameters; empty: they say all."""


EMULATED = Choice("emulated", "the emulated camera and lens, to try this out", rig="emulated")
_KINDS = "webcam, pylon, aravis, ros, twin, emulated"
_LENS_KINDS = "own, varioptic, optotune, optotune_icc, indi"


def cameras() -> list[Choice]:
    """Every camera that is there. A library that is not installed finds none."""
    return [*_webcams(), *_pylon(), *_aravis(), *_drivers()]


def camera_named(name: str) -> Choice:
    """The camera of ``--camera``: a kind, and after a colon which one.

    Raises:
        ValueError: There is no such kind, or no driver of this name.
        DeviceError: No such webcam.
    """
    kind, _, which = name.partition(":")
    if kind == "emulated" and not which:
        return EMULATED
    if kind == "twin" and not which:
        return Choice("twin", "the simulated camera and lens", _both("twin"))
    if kind == "webcam":
        from dasha_ros.devices.v4l2.discovery import chosen, list_webcams

        return _webcam(chosen(list_webcams(), which), which)
    if kind == "pylon":
        return _basler(which, f"Basler camera {which}".strip())
    if kind == "aravis":
        return _genicam(which, f"GenICam camera {which}".strip())
    if kind == "ros" and which:
        driver, _, node = which.partition("@")
        return _driver(driver, node)
    raise ValueError(
        f"--camera {name!r}: it is one of {_KINDS}, and after a colon which one, such as webcam:SERIAL, "
        "pylon:SERIAL, ros:camera_ros or ros:camera_ros@/node"
    )


def lens_named(name: str, camera: Choice) -> Choice:
    """The lens of ``--lens``; ``own`` is the one of the camera itself.

    Raises:
        ValueError: There is no such kind.
    """
    kind, _, where = name.partition(":")
    if kind == "own" and not where and not camera.name.startswith("aravis"):
        own = {"webcam": "v4l2", "pylon": "pylon", "ros": "ros_driver"}.get(camera.name.partition(":")[0])
        parameters: dict[str, Value] = {"lens_driver.backend": own} if own else {}
        if own in ("v4l2", "ros_driver"):
            shared = {"serial", "port", "driver", "driver_node"}
            parameters |= {
                f"lens_driver.{key.partition('.')[2]}": value
                for key, value in camera.parameters.items()
                if key.partition(".")[2] in shared
            }
        return Choice("own", "the lens of the camera itself", parameters)
    if kind in ("varioptic", "optotune", "optotune_icc") and where:
        return Choice(
            name, f"lens board at {where}", {"lens_driver.backend": kind, "lens_driver.port": where}
        )
    if kind == "indi":
        server = where or "localhost:7624"
        return Choice(
            f"indi:{server}",
            f"motor focuser behind the INDI server {server}",
            {"lens_driver.backend": "indi", "lens_driver.indi_server": server},
        )
    raise ValueError(
        f"--lens {name!r}: it is one of {_LENS_KINDS}, and after a colon where it is, such as "
        "varioptic:/dev/serial/by-id/... or indi:localhost:7624"
    )


def lenses_for(camera: Choice) -> list[Choice]:
    """The lenses that may be before a camera, the most likely one first."""
    own = lens_named("own", camera)
    if camera.name.partition(":")[0] not in ("pylon", "aravis"):
        return [own]
    from dasha_ros.devices.serial.ports import list_ports

    try:
        ports = [port for port in list_ports() if port.backend]
    except ImportError:
        ports = []
    boards = [lens_named(f"{port.backend}:{port.path}", camera) for port in ports]
    return [*boards, own] if camera.name.startswith("pylon") else boards


def _webcams() -> Iterator[Choice]:
    from dasha_ros.devices.v4l2.discovery import list_webcams

    there = [webcam for webcam in list_webcams() if webcam.usb_id] or list_webcams()
    for webcam in there:
        yield _webcam(webcam, "")


def _webcam(found: WebcamFound, which: str) -> Choice:
    address = which or found.serial_number or found.bus or str(found.node)
    return Choice(
        f"webcam:{address}",
        f"webcam {found}",
        {
            "camera_driver.backend": "v4l2",
            "camera_driver.serial": address,
            "camera_driver.width": 640,
            "camera_driver.height": 480,
        },
    )


def _pylon() -> Iterator[Choice]:
    if find_spec("pypylon") is None:
        return
    from dasha_ros.devices.pylon.discovery import list_cameras

    for camera in list_cameras():
        if camera.kind != "BaslerCamEmu":
            yield _basler(camera.serial_number, f"Basler camera {camera}")


def _basler(serial: str, what: str) -> Choice:
    return Choice(
        f"pylon:{serial}" if serial else "pylon",
        what,
        {"camera_driver.backend": "pylon", "camera_driver.serial": serial},
    )


def _aravis() -> Iterator[Choice]:
    from dasha_ros.devices.aravis.discovery import list_if_installed

    for camera in list_if_installed():
        # Basler's own library knows more about its cameras.
        if "basler" not in camera.vendor.lower() or find_spec("pypylon") is None:
            yield _genicam(camera.serial_number or camera.id, f"GenICam camera {camera}")


def _genicam(serial: str, what: str) -> Choice:
    return Choice(
        f"aravis:{serial}" if serial else "aravis",
        what,
        {"camera_driver.backend": "aravis", "camera_driver.serial": serial},
    )


def _drivers() -> Iterator[Choice]:
    """The camera nodes of the table that run now."""
    try:
        from dasha_ros.bringup.graph_client import GraphClient
    except ImportError:
        return
    from dasha_ros.ros.driver.table import drivers

    usual = {description.node: name for name, description in drivers().items()}
    with GraphClient() as client:
        client.until(lambda: usual.keys() & set(client.node_names()), LOOK_S)
        running = set(client.node_names())
    for node, name in usual.items():
        if node in running:
            yield _driver(name, "")


def _driver(name: str, node: str) -> Choice:
    from dasha_ros.ros.driver.table import driver_named

    description = driver_named(name)
    parameters: dict[str, Value] = {"camera_driver.backend": "ros_driver", "camera_driver.driver": name}
    if node:
        parameters["camera_driver.driver_node"] = node
    what = f"camera node {node or description.node} ({description.name})"
    return Choice(f"ros:{name}@{node}" if node else f"ros:{name}", what, parameters)


def _both(backend: str) -> dict[str, Value]:
    return {"camera_driver.backend": backend, "lens_driver.backend": backend}
