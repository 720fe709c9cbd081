"""The graph, described once as plain data: processes, parameters, remappings, environment.

``launch/dasha.launch.py`` turns the description into launch actions, ``dasha up``
into supervised processes. Nothing here imports ROS.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dasha_ros.config import ConfigError, NodeConfig
from dasha_ros.config.one_clock import with_one_clock
from dasha_ros.config.overrides import merged, parse_overrides
from dasha_ros.config.params_file import Loaded, load
from dasha_ros.config.ros_value import Value, parameter_text
from dasha_ros.system.paths import config_dir

PACKAGE = "dasha_ros"
RESPAWN_DELAY_S = 1.0
"""Pause before a dead process is started again."""


@dataclass(frozen=True)
class Process:
    """One node in a process of its own."""

    name: str
    executable: str
    """File in ``lib/dasha_ros``, for ``ros2 run`` and ``ros2 launch``."""
    module: str
    """The same node as a Python module, for machines without the ``ros2`` command."""
    namespace: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    """Only what differs from the node's defaults, and what the client library is told."""
    remappings: tuple[tuple[str, str], ...] = ()
    ros_arguments: tuple[str, ...] = ()
    """Further arguments behind ``--ros-args``."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What to add to the user's environment, however the process is started."""
    respawn: bool = True
    stage: int = 0
    """When it is ended: after all processes of lower stages are gone; see `END_ORDER`."""

    @property
    def full_name(self) -> str:
        """The node's name with its namespace."""
        return f"{self.namespace}/{self.name}"

    def command(self) -> tuple[str, ...]:
        """The command line that starts the process with this Python."""
        arguments = ["-r", f"__node:={self.name}", "-r", f"__ns:={self.namespace}"]
        for key, value in self.parameters.items():
            arguments += ["-p", f"{key}:={parameter_text(value)}"]
        for source, target in self.remappings:
            arguments += ["-r", f"{source}:={target}"]
        # All that is printed is collected: a file of each process's own, for ever, would say nothing more.
        logs = "--disable-external-lib-logs"
        return (sys.executable, "-m", self.module, "--ros-args", logs, *arguments, *self.ros_arguments)


@dataclass(frozen=True)
class Graph:
    """All processes of one camera."""

    namespace: str
    processes: tuple[Process, ...]
    warnings: tuple[str, ...] = ()
    """What was asked for and will not happen."""

    @property
    def node_names(self) -> tuple[str, ...]:
        """Full names of all nodes."""
        return tuple(p.full_name for p in self.processes)


@dataclass(frozen=True)
class Rig:
    """Which devices stand behind the two driver nodes."""

    nodes: tuple[str, ...]
    parameters: Mapping[str, Value]
    """Overrides that make it this rig, as ``node.parameter``."""


_COMMON = (
    "camera_driver",
    "lens_driver",
    "perception",
    "high_level_agent",
    "low_level_agent",
    "focus_server",
)

RIGS: dict[str, Rig] = {
    "twin": Rig(
        nodes=("twin_world", *_COMMON),
        parameters={"camera_driver.backend": "twin", "lens_driver.backend": "twin"},
    ),
    "emulated": Rig(
        nodes=("twin_world", "device_emulator", *_COMMON),
        parameters={
            "camera_driver.backend": "pylon",
            "camera_driver.serial": "0815-0000",
            "camera_driver.emulator": "{runtime}/camera.socket",
            "lens_driver.backend": "varioptic",
            "lens_driver.port": "{runtime}/lens",
            "device_emulator.lens_link": "{runtime}/lens",
            "device_emulator.camera_socket": "{runtime}/camera.socket",
        },
    ),
    "hardware": Rig(
        nodes=_COMMON,
        parameters={"camera_driver.backend": "pylon", "lens_driver.backend": "varioptic"},
    ),
}
"""The rigs by name. ``{runtime}`` stands for a folder of this user's, ROS domain and namespace."""

END_ORDER = (
    ("trainer", "focus_server"),
    ("high_level_agent", "low_level_agent"),
    ("perception",),
    ("camera_driver", "lens_driver"),
    ("twin_world", "device_emulator"),
)
"""A graph ends from the top: drivers that live bring lens and exposure back when a goal in hand is ended.

Nodes of one stage end together."""
_STAGES = {name: stage for stage, names in enumerate(END_ORDER) for name in names}

_PICTURE = ("width", "height", "encoding")
_PROFILES = {"camera_driver": "fastdds.xml", "perception": "fastdds_frames.xml"}
"""Who publishes frames needs a large segment of shared memory, and who hears them listens to it."""
_SMALL_SEGMENT = 800_000
"""What a process without a profile of its own takes of shared memory [bytes]; measured, ports included."""

LOG_LEVELS = ("debug", "info", "warn", "error", "fatal")


@dataclass(frozen=True)
class Options:
    """What a user may ask for. ``None`` leaves the parameter file's value, or the default."""

    namespace: str = "/dasha"
    rig: str = "twin"
    params_file: str | None = None
    scene: str | None = None
    speed: float | None = None
    """The twin's time against real time; other than 1 on the rig ``twin`` only."""
    encoder: str | None = None
    detector: str | None = None
    exposure_policy: str | None = None
    focus_policy: str | None = None
    learn: bool = False
    """Both agents learn, and the trainer sends goals."""
    log_level: str = "info"
    overrides: tuple[str, ...] = ()
    """``node.parameter=value``; these win over everything else."""


_NAMED_OPTIONS: dict[str, Callable[[Options], Value | None]] = {
    "twin_world.scene": lambda o: o.scene,
    "twin_world.speed": lambda o: o.speed,
    "perception.encoder": lambda o: o.encoder,
    "perception.detector": lambda o: o.detector,
    "high_level_agent.policy": lambda o: o.exposure_policy,
    "low_level_agent.policy": lambda o: o.focus_policy,
    "high_level_agent.mode": lambda o: "learn" if o.learn else None,
    "low_level_agent.mode": lambda o: "learn" if o.learn else None,
}


def describe(options: Options | None = None, environ: Mapping[str, str] = os.environ) -> Graph:
    """Describe the graph.

    The parameter file is read first, then the rig, the named options and the
    overrides each replace what came before.

    Args:
        options: What the user asked for.
        environ: The user's environment, which decides what has to be added to it.

    Raises:
        ConfigError: An unknown rig, node or parameter, a value out of bounds, an unreadable file.
    """
    options = options or Options()
    namespace = checked_namespace(options.namespace)
    if options.rig not in RIGS:
        raise ConfigError(f"unknown rig {options.rig!r}; known: {', '.join(RIGS)}")
    if options.log_level not in LOG_LEVELS:
        raise ConfigError(f"unknown log level {options.log_level!r}; known: {', '.join(LOG_LEVELS)}")
    rig = RIGS[options.rig]
    folder = str(runtime_dir(namespace, environ))
    parameters = {
        key: value.format(runtime=folder) if isinstance(value, str) else value
        for key, value in rig.parameters.items()
    }
    if options.learn and "twin_world" not in rig.nodes:
        raise ConfigError(
            f"learning needs a world that can be changed, and the rig {options.rig!r} has none: "
            "use twin or emulated"
        )
    nodes = (*rig.nodes, "trainer") if options.learn else rig.nodes
    named = {key: value for key, of in _NAMED_OPTIONS.items() if (value := of(options)) is not None}
    # Every node gets its values from here. Given the file as well, rcl would let a block for the
    # node's own name win over the command line.
    loaded = load(options.params_file, namespace, nodes) if options.params_file else Loaded()
    configs = merged(loaded.configs, {**parameters, **named, **parse_overrides(options.overrides)})
    if "device_emulator" in rig.nodes:
        # An emulated camera shows what its driver asks for, whatever that is.
        camera = configs["camera_driver"].model_dump()
        configs = merged(configs, {f"device_emulator.{key}": camera[key] for key in _PICTURE})
    speed = configs["twin_world"].model_dump()["speed"]
    if speed != 1.0 and options.rig != "twin":
        raise ConfigError(
            f"twin_world: speed = {speed:g}: {options.rig!r} works in real time; use speed 1, or the rig twin"
        )
    others, warnings = with_one_clock({name: loaded.others.get(name, {}) for name in nodes}, speed)
    return Graph(
        namespace=namespace,
        processes=tuple(
            _process(
                name, namespace, configs[name], others[name], log_level=options.log_level, environ=environ
            )
            for name in nodes
        ),
        warnings=(*loaded.warnings, *warnings),
    )


def runtime_dir(namespace: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Where a graph has its lock and its emulated devices: by user, ROS domain and namespace."""
    base = environ.get("XDG_RUNTIME_DIR", "")
    if not os.access(base, os.W_OK):  # after su or in a container it may be another user's, or not there
        base = f"{tempfile.gettempdir()}/dasha-{os.getuid()}"
    domain = environ.get("ROS_DOMAIN_ID") or "0"
    return Path(base) / "dasha_ros" / f"domain{domain}{namespace.replace('/', '-')}"


def _process(
    name: str,
    namespace: str,
    config: NodeConfig,
    others: Mapping[str, Value],
    *,
    log_level: str,
    environ: Mapping[str, str],
) -> Process:
    default = type(config)()
    parameters: dict[str, Value] = {
        key: getattr(config, key)
        for key in type(config).model_fields
        if getattr(config, key) != getattr(default, key)
    } | {key: value for key, value in others.items() if value != []}
    # The level of this node's logger only: debug output of rcl and the middleware is a flood.
    logger = f"{namespace.strip('/').replace('/', '.')}.{name}"
    return Process(
        name=name,
        executable=name,
        module=f"{PACKAGE}.nodes.{name}",
        namespace=namespace,
        parameters=parameters,
        ros_arguments=() if log_level == "info" else ("--log-level", f"{logger}:={log_level}"),
        environment=profile_of(name, environ),
        stage=_STAGES[name],
    )


def checked_namespace(text: str) -> str:
    """The namespace with one leading and no trailing slash.

    Raises:
        ConfigError: ROS would refuse it.
    """
    name = "/" + text.strip("/")
    if not re.fullmatch(r"(/[A-Za-z_][A-Za-z0-9_]*)+", name):
        raise ConfigError(
            f"{text!r} is no namespace: use letters, digits and underscores, no digit first, e.g. /dasha"
        )
    return name


def environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What `dasha up`, and every command that speaks to a graph, adds to the user's environment.

    Fast DDS, and discovery on this machine only. Whatever the user has set stays as it is. The launch
    file adds none of this: middleware and discovery are the user's.
    """
    wanted = {"RMW_IMPLEMENTATION": "rmw_fastrtps_cpp", "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    return {name: value for name, value in wanted.items() if not environ.get(name)}


def profile_of(name: str, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The settings of Fast DDS that a node's process adds, unless the user has some.

    The segment of shared memory that frames fit in belongs to their publisher, so that the
    graph fits into the 64 MB of shared memory that a container usually gets.

    Args:
        name: Of the node.
        environ: The user's environment.
    """
    names = ["FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"]  # Fast DDS 2 and 3
    if any(environ.get(variable) for variable in names):
        return {}
    prefixes = [Path(prefix) for prefix in environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if prefix]
    if any((prefix / "share" / "fastdds").is_dir() for prefix in prefixes):
        names = names[1:]  # Fast DDS 3 warns of the old name, once for each process.
    return dict.fromkeys(names, str(config_dir() / _PROFILES.get(name, "fastdds_node.xml")))


def shared_memory_needed(processes: int) -> int:
    """Shared memory that a graph takes [bytes]: a segment for frames, and a small one for each process."""
    text = (config_dir() / "fastdds.xml").read_text(encoding="utf-8")
    found = re.search(r"<segment_size>(\d+)</segment_size>", text)
    assert found is not None, "fastdds.xml names no segment_size"
    return int(found.group(1)) + processes * _SMALL_SEGMENT
