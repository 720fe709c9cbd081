"""Every parameter of every node: default, unit, bounds and meaning, in one place.

The nodes declare their ROS parameters from these models, ``config/dasha.yaml``
is written from them (``dasha config``), and both are validated by them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator


def _field(default: Any, description: str, *, unit: str = "", fixed: bool = False, **bounds: Any) -> Any:
    """A parameter. ``fixed``: read when the node is configured, not changeable while it runs."""
    extra: dict[str, Any] = {"unit": unit, "fixed": fixed}
    if isinstance(default, list):
        return Field(
            default_factory=lambda: list(default), description=description, json_schema_extra=extra, **bounds
        )
    return Field(default, description=description, json_schema_extra=extra, **bounds)


class NodeConfig(BaseModel):
    """What all nodes share."""

    model_config = ConfigDict(extra="forbid", validate_default=True)

    autostart: bool = _field(
        True, "Configure and activate at start; false: wait for a lifecycle manager.", fixed=True
    )


class CameraDriverConfig(NodeConfig):
    """The node that owns the camera."""

    backend: Literal["twin", "pylon"] = _field("twin", "Which camera.", fixed=True)
    serial: str = _field(
        "", "Serial number, user-defined name or IP address; empty: the only camera.", fixed=True
    )
    frame_id: str = _field("camera_optical_frame", "Frame of the images' headers.", fixed=True)
    width: int = _field(2048, "Image width.", unit="px", fixed=True, ge=64, le=8192)
    height: int = _field(1088, "Image height.", unit="px", fixed=True, ge=64, le=8192)
    encoding: Literal["mono8", "mono16", "rgb8"] = _field(
        "mono8", "Image encoding; mono16 holds 12 bits.", fixed=True
    )
    offset_x: int = _field(
        -1, "Left edge of the region of interest; -1: centred.", unit="px", fixed=True, ge=-1, le=16384
    )
    offset_y: int = _field(
        -1, "Upper edge of the region of interest; -1: centred.", unit="px", fixed=True, ge=-1, le=16384
    )
    binning: int = _field(1, "Pixels binned in both directions.", fixed=True, ge=1, le=4)
    packet_size: int = _field(
        0,
        "GigE packets, at most the network's MTU; 0: as the camera has it.",
        unit="bytes",
        fixed=True,
        ge=0,
        le=16384,
    )
    frame_margin_s: FiniteFloat = _field(
        0.5, "Time that a frame may take on top of its exposure.", unit="s", fixed=True, ge=0.02, le=30.0
    )
    emulator: str = _field(
        "",
        "Socket of `dasha emulate camera`: pylon's own emulator shows its pictures; empty: a real camera.",
        fixed=True,
    )
    gain_db: FiniteFloat = _field(0.0, "Analog gain.", unit="dB", ge=0.0, le=36.0)
    initial_exposure_us: FiniteFloat = _field(
        10_000.0, "Exposure before the first command.", unit="us", fixed=True, ge=1.0, le=10e6
    )
    capture_mode: Literal["auto", "on_command", "free_running"] = _field(
        "auto",
        "on_command: one exposure for each command. free_running: newest image wins. "
        "auto: on_command while a goal runs, otherwise a preview.",
    )
    preview_rate_hz: FiniteFloat = _field(
        2.0, "Pictures without a command, in auto and free_running; 0: none.", unit="Hz", ge=0.0, le=200.0
    )
    twin_seed: int = _field(0, "Seed of the twin's sensor noise.", fixed=True, ge=0, le=2**31 - 1)
    twin_latency_ms: FiniteFloat = _field(
        0.0, "Time that the twin's camera keeps a finished frame.", unit="ms", fixed=True, ge=0.0, le=10_000.0
    )


class LensDriverConfig(NodeConfig):
    """The node that owns the lens."""

    backend: Literal["twin", "varioptic"] = _field("twin", "Which lens.", fixed=True)
    port: str = _field("", "Serial port of the lens board; empty: found by serial number.", fixed=True)
    serial: str = _field("", "Serial number of the USB bridge; empty: whatever is at the port.", fixed=True)
    board: Literal["flexiboard", "caspian"] = _field(
        "flexiboard", "Register map of the lens board.", fixed=True
    )
    profile: str = _field(
        "physical", "Lens model: physical, paper, or the path of a table of measured volts.", fixed=True
    )
    reply_timeout_ms: FiniteFloat = _field(
        50.0, "Time that the board has to answer.", unit="ms", fixed=True, ge=5.0, le=2_000.0
    )
    standby: bool = _field(True, "Take the voltage off the lens when the node is deactivated.", fixed=True)
    settle_ms: FiniteFloat = _field(
        0.0, "Time to rest after a move; 0: as the back end knows it.", unit="ms", ge=0.0, le=5_000.0
    )
    initial_volts: FiniteFloat = _field(
        24.0, "Twin only: where the lens is when power comes.", unit="V", fixed=True, ge=24.0, le=70.0
    )


class TwinWorldConfig(NodeConfig):
    """The twin's light, scene and distances."""

    scene: str = _field("motorcycle_street", "Name of a shipped scene or path of a YAML file.")
    illuminance_lx: FiniteFloat = _field(100.0, "Light on the scene.", unit="lx", ge=0.01, le=200_000.0)
    distances_m: list[FiniteFloat] = _field(
        [], "Distances of the scene's layers, nearest first; empty: the scene's own.", unit="m"
    )
    temperature_c: FiniteFloat = _field(
        25.0, "Temperature of lens and sensor.", unit="deg C", ge=-20.0, le=80.0
    )
    speed: FiniteFloat = _field(
        1.0,
        "The twin's time against real time; other than 1, /clock is published: use use_sim_time.",
        fixed=True,
        ge=0.1,
        le=50.0,
    )


class PerceptionConfig(NodeConfig):
    """From image to percept."""

    encoder: str = _field("efficientnet_lite0", "Network that makes the latent vector.", fixed=True)
    encoder_weights: str = _field("", "Weights file of the encoder; empty: the encoder's own.", fixed=True)
    detector: str = _field("yolov3_tiny", "Network that finds objects.", fixed=True)
    detector_weights: str = _field("", "Weights file of the detector; empty: the detector's own.", fixed=True)
    detector_size_px: int = _field(
        416, "Width of the detector's input.", unit="px", fixed=True, ge=128, le=1280, multiple_of=32
    )
    min_score: FiniteFloat = _field(0.1, "Detections below this confidence are dropped.", ge=0.01, le=1.0)
    preview_rate_hz: FiniteFloat = _field(
        0.0,
        "Percepts of frames that no command waits for; 0: none are computed.",
        unit="Hz",
        ge=0.0,
        le=100.0,
    )
    jpeg_quality: int = _field(80, "Quality of the annotated picture.", ge=10, le=100)


class AgentConfig(NodeConfig):
    """What both agents share."""

    inference_budget_s: FiniteFloat = _field(
        3.0,
        "Time allowed for transport and inference of a frame, on top of exposure and settling.",
        unit="s",
        ge=0.1,
        le=120.0,
    )
    retries: int = _field(1, "How often an unanswered command is sent again.", ge=0, le=10)
    policy: str = _field("", "Policy by name.", fixed=True)
    mode: Literal["act", "learn"] = _field(
        "act",
        "act: run the policy. learn: run PPO, one step of learning for each step of a goal.",
        fixed=True,
    )
    preset: str = _field("plus", "learn: preset of environment and PPO, by name or path.", fixed=True)
    checkpoint_dir: str = _field(
        "~/.ros/dasha/learning", "learn: checkpoints of both agents are kept below this folder.", fixed=True
    )
    learn_from: str = _field(
        "", "learn: run folder of `dasha train` to go on from when there is no checkpoint yet.", fixed=True
    )


class HighLevelAgentConfig(AgentConfig):
    """A^H, the agent of the exposure."""

    policy: str = _field("histogram", "Policy by name.", fixed=True)
    max_steps: int = _field(12, "Steps before the agent gives up.", ge=1, le=1000)
    exposure_min_us: FiniteFloat = _field(
        24.0, "Shortest exposure of the table.", unit="us", fixed=True, ge=1.0, le=1e6
    )
    exposure_max_us: FiniteFloat = _field(
        1e6, "Longest exposure of the table.", unit="us", fixed=True, ge=2.0, le=10e6
    )

    @model_validator(mode="after")
    def _ordered(self) -> HighLevelAgentConfig:
        if self.exposure_max_us <= 2 * self.exposure_min_us:
            raise ValueError(
                f"exposure_max_us ({self.exposure_max_us:g}) must be more than twice "
                f"exposure_min_us ({self.exposure_min_us:g})"
            )
        return self


class LowLevelAgentConfig(AgentConfig):
    """A^L, the agent of the lens."""

    policy: str = _field("coarse_to_fine", "Policy by name.", fixed=True)
    profile: str = _field("physical", "Lens model: physical, paper, or the path of a table.", fixed=True)
    max_steps: int = _field(60, "Steps before the agent gives up.", ge=1, le=1000)
    min_score: FiniteFloat = _field(0.3, "Least confidence when the goal names none.", ge=0.01, le=1.0)
    max_brisque: FiniteFloat = _field(
        100.0, "Worst BRISQUE to accept when the goal names none.", gt=0.0, le=200.0
    )


class FocusServerConfig(NodeConfig):
    """The action that robots call."""

    min_score: FiniteFloat = _field(0.3, "Least confidence when the goal names none.", ge=0.01, le=1.0)
    max_brisque: FiniteFloat = _field(
        100.0, "Worst BRISQUE to accept when the goal names none.", gt=0.0, le=200.0
    )
    max_steps: int = _field(80, "Steps of both agents when the goal names none.", ge=1, le=2000)
    agent_timeout_s: FiniteFloat = _field(
        5.0,
        "Time an agent has to accept its part of a goal, and to react to a cancel.",
        unit="s",
        ge=0.5,
        le=60.0,
    )
    report_dir: str = _field("~/.ros/dasha/reports", "Folder of the reports; empty: none are written.")
    report_keep: int = _field(100, "How many reports are kept.", ge=1, le=100_000)


def _probability(description: str) -> Any:
    return _field(0.0, description, ge=0.0, le=1.0)


class DeviceEmulatorConfig(NodeConfig):
    """Emulated rig only: a lens on a pseudo-terminal, pictures for pylon's emulator, faults on demand."""

    lens_link: str = _field("", "Path at which the lens's serial port appears.", fixed=True)
    camera_socket: str = _field("", "Socket at which the camera driver asks for pictures.", fixed=True)
    profile: str = _field("physical", "Lens model: physical, paper, or the path of a table.", fixed=True)
    width: int = _field(2048, "Width of the pictures.", unit="px", fixed=True, ge=64, le=8192)
    height: int = _field(1088, "Height of the pictures.", unit="px", fixed=True, ge=64, le=8192)
    encoding: Literal["mono8", "mono16", "rgb8"] = _field("mono8", "Encoding of the pictures.", fixed=True)
    seed: int = _field(0, "Seed of the noise and of the faults.", fixed=True, ge=0, le=2**31 - 1)
    lens_plugged: bool = _field(True, "false: the lens's cable is pulled.")
    brown_outs: int = _field(0, "Each change lets the lens board's supply dip once.", ge=0, le=1_000_000)
    drop_request: FiniteFloat = _probability("Share of requests that never reach the board.")
    corrupt_request: FiniteFloat = _probability("Share of requests of which a byte changes.")
    drop_reply: FiniteFloat = _probability("Share of replies that are lost.")
    corrupt_reply: FiniteFloat = _probability("Share of replies of which a byte changes.")
    half_reply: FiniteFloat = _probability("Share of replies that break off.")
    late_reply: FiniteFloat = _probability("Share of replies that come late_s later.")
    late_s: FiniteFloat = _field(0.1, "How late a late reply is.", unit="s", ge=0.0, le=60.0)
    nack: FiniteFloat = _probability("Share of sound requests that the board refuses.")
    noise: FiniteFloat = _probability("Share of replies before which bytes come that nobody asked for.")


class TrainerConfig(NodeConfig):
    """Training only: new episodes for ever, each a random start and then a goal."""

    scenes: list[str] = _field([], "Scenes to train on, by name or path; empty: all that ship.", fixed=True)
    schedule: Literal["paper", "random"] = _field(
        "random",
        "paper: 13..300 lx in steps of 10 lx, nearest layer at 1.4..2.0 m. "
        "random: light even in logarithm, distances within a factor.",
        fixed=True,
    )
    illuminance_min_lx: FiniteFloat = _field(13.0, "random: least light.", unit="lx", ge=0.01, le=200_000.0)
    illuminance_max_lx: FiniteFloat = _field(300.0, "random: most light.", unit="lx", ge=0.01, le=200_000.0)
    distance_factor: FiniteFloat = _field(
        1.5, "random: all distances of a scene are scaled by up to this factor, up or down.", ge=1.0, le=5.0
    )
    episodes_per_world: int = _field(1, "Goals before light and distances change.", ge=1, le=100_000)
    max_steps: int = _field(20, "Steps of a goal.", ge=1, le=2000)
    episodes: int = _field(0, "Goals after which the trainer stops; 0: never.", ge=0, le=10_000_000)
    seed: int = _field(0, "Of the random worlds and starts.", fixed=True, ge=0, le=2**31 - 1)

    @model_validator(mode="after")
    def _ordered(self) -> TrainerConfig:
        if self.illuminance_max_lx < self.illuminance_min_lx:
            raise ValueError(
                f"illuminance_max_lx ({self.illuminance_max_lx:g}) must not be below "
                f"illuminance_min_lx ({self.illuminance_min_lx:g})"
            )
        return self


NODES: dict[str, type[NodeConfig]] = {
    "camera_driver": CameraDriverConfig,
    "lens_driver": LensDriverConfig,
    "twin_world": TwinWorldConfig,
    "perception": PerceptionConfig,
    "high_level_agent": HighLevelAgentConfig,
    "low_level_agent": LowLevelAgentConfig,
    "focus_server": FocusServerConfig,
    "trainer": TrainerConfig,
    "device_emulator": DeviceEmulatorConfig,
}
"""The configuration of each node, by the node's name."""


class ConfigError(ValueError):
    """A configuration that can't be used; the message names file, node, parameter, value and bound."""


def explain(error: ValidationError) -> str:
    """Every reason in one sentence each, joined by ``; ``."""
    return "; ".join(
        f"{'.'.join(str(p) for p in e['loc']) or 'configuration'} = {e['input']!r}: {e['msg']}"
        if e["loc"]
        else str(e["msg"])
        for e in error.errors(include_url=False)
    )


def load(path: str | Path) -> dict[str, NodeConfig]:
    """Read a YAML file in ROS 2 parameter format (``/**/NODE: ros__parameters: ...``) and validate it.

    Nodes that the file leaves out get their defaults.

    Raises:
        ConfigError: No such file, no YAML, an unknown node or parameter, a value out of bounds.
    """
    path = Path(path)
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise ConfigError(f"{path}: can't be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: is no YAML: {error}") from error
    if not isinstance(document, dict):
        raise ConfigError(f"{path}: must map node names to ros__parameters")
    configs: dict[str, NodeConfig] = {name: model() for name, model in NODES.items()}
    for key, block in document.items():
        name = str(key).rsplit("/", 1)[-1]
        if name not in NODES:
            raise ConfigError(f"{path}: unknown node {key!r}; known: {', '.join(NODES)}")
        values = block.get("ros__parameters") if isinstance(block, dict) else None
        if not isinstance(values, dict):
            raise ConfigError(f"{path}: {key} must hold ros__parameters")
        values = {k: v for k, v in values.items() if k != "use_sim_time"}
        try:
            configs[name] = NODES[name](**values)
        except ValidationError as error:
            raise ConfigError(f"{path}: {name}: {explain(error)}") from error
    return configs


def _yaml_value(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True).splitlines()[0]


def as_yaml() -> str:
    """All defaults as a commented ROS 2 parameter file: the text of ``config/dasha.yaml``."""
    lines = ["# Every parameter of dasha_ros with its default. Written by `dasha config`: edit a copy."]
    for name, model in NODES.items():
        lines += ["", f"# {(model.__doc__ or '').splitlines()[0]}", f"/**/{name}:", "  ros__parameters:"]
        config = model()
        for key, info in model.model_fields.items():
            unit, bounds = unit_of(model, key), bounds_of(model, key)
            notes = [n for n in (f"[{unit}]" if unit else "", bounds) if n]
            lines.append(f"    # {info.description}{' ' + ', '.join(notes) if notes else ''}")
            lines.append(f"    {key}: {_yaml_value(getattr(config, key))}")
    return "\n".join(lines) + "\n"


def _schema(model: type[NodeConfig], key: str) -> dict[str, Any]:
    properties: dict[str, Any] = model.model_json_schema()["properties"]
    return dict(properties[key])


def unit_of(model: type[NodeConfig], key: str) -> str:
    """Unit of a parameter, empty when it has none."""
    return str(_schema(model, key).get("unit", ""))


def is_fixed(model: type[NodeConfig], key: str) -> bool:
    """Whether a parameter is read only when the node is configured."""
    return bool(_schema(model, key).get("fixed", False))


def limits_of(model: type[NodeConfig], key: str) -> tuple[float, float] | None:
    """Inclusive bounds of a number, ``None`` where there are none."""
    schema = _schema(model, key)
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    return None if low is None or high is None else (float(low), float(high))


def choices_of(model: type[NodeConfig], key: str) -> tuple[str, ...]:
    """The allowed values of a choice, empty for other parameters."""
    return tuple(_schema(model, key).get("enum", ()))


def bounds_of(model: type[NodeConfig], key: str) -> str:
    """The allowed values for people: ``24..70`` or ``twin | pylon``."""
    limits, choices = limits_of(model, key), choices_of(model, key)
    if limits:
        return f"{limits[0]:g}..{limits[1]:g}"
    return " | ".join(choices)
