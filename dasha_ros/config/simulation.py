"""Parameters of the nodes that stand for devices: the twin's world and the emulated boards."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import FiniteFloat, model_validator

from dasha_ros.config.parameter import NodeConfig, parameter


class TwinWorldConfig(NodeConfig):
    """The twin's light, scene and distances."""

    scene: str = parameter("motorcycle_street", "Name of a shipped scene or path of a YAML file.")
    illuminance_lx: FiniteFloat = parameter(100.0, "Light on the scene.", unit="lx", ge=0.01, le=200_000.0)
    distances_m: list[FiniteFloat] = parameter(
        [], "Distances of the scene's layers, nearest first; empty: the scene's own.", unit="m"
    )
    temperature_c: FiniteFloat = parameter(
        25.0, "Temperature of lens and sensor.", unit="deg C", ge=-20.0, le=80.0
    )
    lamp_hz: FiniteFloat = parameter(
        0.0,
        "How often the lamp is brightest in a second: 100 on mains of 50 Hz, 120 on 60 Hz; 0: daylight.",
        unit="Hz",
        ge=0.0,
        le=1000.0,
    )
    lamp_depth: FiniteFloat = parameter(
        0.6,
        "How much the lamp's light goes up and down, as a share of its mean; counts where lamp_hz is not 0.",
        ge=0.0,
        le=1.0,
    )
    speed: FiniteFloat = parameter(
        1.0,
        "The twin's time against real time; other than 1, all other nodes follow its /clock.",
        for_good=True,
        ge=0.1,
        le=50.0,
    )

    @model_validator(mode="after")
    def _is_possible(self) -> TwinWorldConfig:
        """Check that the scene fits, if its photographs are on this machine."""
        # Imported here, because only nodes of a twin need scenes.
        from dasha_ros.twin.scene import SceneError, load_scene
        from dasha_ros.twin.world import World

        World.of(self)
        scene = load_scene(self.scene)
        try:
            scene.resolved_distances(self.distances_m)
        except SceneError as error:
            raise ValueError(
                f"{error}; set scene and distances_m in one call, or first distances_m to []"
            ) from error
        return self


def _probability(description: str) -> Any:
    return parameter(0.0, description, ge=0.0, le=1.0)


class DeviceEmulatorConfig(NodeConfig):
    """Emulated rig only: a lens on a pseudo-terminal, pictures for pylon's emulator, faults on demand."""

    lens_link: str = parameter("", "Path of the lens's serial port.", fixed=True)
    camera_socket: str = parameter("", "Socket for the camera driver's requests for pictures.", fixed=True)
    lens_device: Literal["varioptic", "optotune"] = parameter("varioptic", "Which lens board.", fixed=True)
    profile: str = parameter(
        "physical", "Lens model: physical, paper, optotune, or the path of a table.", fixed=True
    )
    width: int = parameter(2048, "Width of the pictures.", unit="px", fixed=True, ge=64, le=8192)
    height: int = parameter(1088, "Height of the pictures.", unit="px", fixed=True, ge=64, le=8192)
    encoding: Literal["mono8", "mono16", "rgb8"] = parameter("mono8", "Encoding of the pictures.", fixed=True)
    seed: int = parameter(0, "Seed of noise and faults.", fixed=True, ge=0, le=2**31 - 1)
    lens_step: FiniteFloat = parameter(
        0.0445,
        "Step of the lens board's output, in its lens's unit; 0: it follows every command exactly.",
        fixed=True,
        ge=0.0,
        le=1.0,
    )
    time_constant_s: FiniteFloat = parameter(
        0.02,
        "Time constant of the liquid's settling.",
        unit="s",
        fixed=True,
        ge=0.0,
        le=10.0,
    )
    lens_hysteresis: FiniteFloat = parameter(
        0.05, "Half width of the liquid's play, in the lens's unit.", fixed=True, ge=0.0, le=5.0
    )
    lens_plugged: bool = parameter(True, "false pulls the lens's cable.")
    brown_outs: int = parameter(0, "Each change makes the lens board's supply dip once.", ge=0, le=1_000_000)
    fault_bits: int = parameter(0, "Fault register of the lens board.", ge=0, le=255)
    drop_request: FiniteFloat = _probability("Share of requests that never reach the board.")
    corrupt_request: FiniteFloat = _probability("Share of requests with a changed byte.")
    drop_reply: FiniteFloat = _probability("Share of replies that are lost.")
    corrupt_reply: FiniteFloat = _probability("Share of replies with a changed byte.")
    half_reply: FiniteFloat = _probability("Share of replies that are cut off.")
    late_reply: FiniteFloat = _probability("Share of replies that come late_s later.")
    late_s: FiniteFloat = parameter(0.3, "Delay of late replies.", unit="s", ge=0.0, le=60.0)
    nack: FiniteFloat = _probability("Share of valid requests that the board refuses.")
    noise: FiniteFloat = _probability("Share of replies that random bytes precede.")
