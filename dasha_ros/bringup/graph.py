"""Describes the graph as plain data: processes, parameters, remappings, environment.

``launch/dasha.launch.py`` turns the description into launch actions, ``dasha up`` into supervised processes.
Nothing here imports ROS.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dasha_ros.bringup.environment import profile_of, runtime_dir
from dasha_ros.bringup.one_stack import with_one_driver, with_one_recording, with_one_stack
from dasha_ros.bringup.rigs import RIGS, STAGES, rig_of
from dasha_ros.config import ConfigError, NodeConfig
from dasha_ros.config.one_clock import with_one_clock
from dasha_ros.config.overrides import merged, parse_overrides
from dasha_ros.config.params_file import Loaded, load
from dasha_ros.config.ros_file import PARAMETERS
from dasha_ros.config.ros_value import Value, parameter_text
from dasha_ros.system.enclave import enclave_arguments
from dasha_ros.system.folders import NO_LOG_FILES

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
    """Parameters that differ from the node's defaults, and those of the client library."""
    remappings: tuple[tuple[str, str], ...] = ()
    ros_arguments: tuple[str, ...] = ()
    """More arguments after ``--ros-args``."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables to add to the user's environment, however the process is started."""
    respawn: bool = True
    stage: int = 0
    """Position in the shutdown: the process is ended after those of lower stages; see `END_ORDER`."""

    @property
    def full_name(self) -> str:
        """The node's name with its namespace."""
        return f"{self.namespace}/{self.name}"

    @property
    def parameter_file(self) -> str:
        """Its parameters as the text of a ROS parameter file; empty if there are none."""
        if not self.parameters:
            return ""
        lines = [f"    {key}: {parameter_text(value)}\n" for key, value in self.parameters.items()]
        return "".join((f"{self.full_name}:\n  {PARAMETERS}:\n", *lines))

    def command(self) -> tuple[str, ...]:
        """The command line that starts the process with this Python."""
        arguments = ["-r", f"__node:={self.name}", "-r", f"__ns:={self.namespace}"]
        for key, value in self.parameters.items():
            arguments += ["-p", f"{key}:={parameter_text(value)}"]
        for source, target in self.remappings:
            arguments += ["-r", f"{source}:={target}"]
        # The supervisor collects all output: rcl's log files would grow for ever and add nothing.
        logs = ("--ros-args", NO_LOG_FILES)
        return (sys.executable, "-m", self.module, *logs, *arguments, *self.ros_arguments)


@dataclass(frozen=True)
class Graph:
    """All processes of one camera."""

    namespace: str
    processes: tuple[Process, ...]
    warnings: tuple[str, ...] = ()
    """Requests of the user that have no effect."""

    @property
    def node_names(self) -> tuple[str, ...]:
        """Full names of all nodes."""
        return tuple(p.full_name for p in self.processes)


_PICTURE = ("width", "height", "encoding")
LOG_LEVELS = ("debug", "info", "warn", "error", "fatal")


@dataclass(frozen=True)
class Options:
    """The user's options. ``None`` keeps the parameter file's value, or the default."""

    namespace: str = "/dasha"
    rig: str = ""
    """One of `RIGS`; empty: the devices that the parameter file and the overrides name, else the twin."""
    params_file: str | None = None
    scene: str | None = None
    speed: float | None = None
    """How fast the twin's time passes; the other rigs need 1."""
    encoder: str | None = None
    detector: str | None = None
    exposure_policy: str | None = None
    focus_policy: str | None = None
    learn: bool = False
    """Both agents learn, and the trainer sends goals."""
    autostart: bool = True
    """Whether the nodes configure and activate themselves; else a lifecycle manager does."""
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

    The parameter file comes first; the rig, the named options and the overrides then replace its values, in
    this order.

    Args:
        options: The user's options.
        environ: The user's environment, which decides which variables are added.

    Raises:
        ConfigError: An unknown rig, node or parameter, a value out of bounds, an unreadable file.
    """
    options = options or Options()
    namespace = checked_namespace(options.namespace)
    if options.rig and options.rig not in RIGS:
        raise ConfigError(f"unknown rig {options.rig!r}; known: {', '.join(RIGS)}")
    if options.log_level not in LOG_LEVELS:
        raise ConfigError(f"unknown log level {options.log_level!r}; known: {', '.join(LOG_LEVELS)}")
    given = parse_overrides(options.overrides)
    loaded = load(options.params_file, namespace) if options.params_file else Loaded()
    name, rig = (
        (options.rig, RIGS[options.rig]) if options.rig else rig_of(merged(loaded.configs, _backends(given)))
    )
    folder = str(runtime_dir(namespace, environ))
    parameters = {
        key: value.format(runtime=folder) if isinstance(value, str) else value
        for key, value in rig.parameters.items()
    }
    if options.learn and "twin_world" not in rig.nodes:
        raise ConfigError(
            f"learning needs a world that can be changed, and the rig {name!r} has none: use twin or emulated"
        )
    nodes = (*rig.nodes, "trainer") if options.learn else rig.nodes
    named = {key: value for key, of in _NAMED_OPTIONS.items() if (value := of(options)) is not None}
    if not options.autostart:
        named |= {f"{node}.autostart": False for node in nodes}
    # The nodes don't get the file itself: in rcl, a block for the node's own name would override the
    # command line.
    if options.params_file:
        loaded = load(options.params_file, namespace, nodes)
    wanted = {**parameters, **named, **given}
    if name == "stack":
        wanted = with_one_stack(loaded.configs, wanted)
    elif name == "ros-driver":
        wanted = with_one_driver(loaded.configs, wanted)
    elif name == "replay":
        wanted = with_one_recording(loaded.configs, wanted)
    configs = merged(loaded.configs, wanted)
    if "device_emulator" in rig.nodes:
        # The emulated camera has to produce the pictures that its driver is configured for.
        camera = configs["camera_driver"].model_dump()
        configs = merged(configs, {f"device_emulator.{key}": camera[key] for key in _PICTURE})
    speed = configs["twin_world"].model_dump()["speed"]
    if speed != 1.0 and name != "twin":
        raise ConfigError(
            f"twin_world: speed = {speed:g}: {name!r} works in real time; use speed 1, or the rig twin"
        )
    others, warnings = with_one_clock({node: loaded.others.get(node, {}) for node in nodes}, speed)
    return Graph(
        namespace=namespace,
        processes=tuple(
            _process(
                node, namespace, configs[node], others[node], log_level=options.log_level, environ=environ
            )
            for node in nodes
        ),
        warnings=(*loaded.warnings, *warnings),
    )


def _backends(given: Mapping[str, Value]) -> dict[str, Value]:
    """The overrides that choose devices."""
    return {key: value for key, value in given.items() if key.endswith("_driver.backend")}


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
    # Only for this node's own logger: rcl and the middleware print too much at the level debug.
    logger = f"{namespace.strip('/').replace('/', '.')}.{name}"
    return Process(
        name=name,
        executable=name,
        module=f"{PACKAGE}.nodes.{name}",
        namespace=namespace,
        parameters=parameters,
        ros_arguments=(
            *enclave_arguments(f"{namespace}/{name}", environ),
            *(() if log_level == "info" else ("--log-level", f"{logger}:={log_level}")),
        ),
        environment=profile_of(name, environ),
        stage=STAGES[name],
    )


def checked_namespace(text: str) -> str:
    """Return the namespace with one leading and no trailing slash.

    Raises:
        ConfigError: It is not a valid ROS namespace.
    """
    name = "/" + text.strip("/")
    # A node takes its namespace from `-r __ns:=NAME`, and that form has a meaning of its own for `__`.
    if not re.fullmatch(r"(/[A-Za-z_][A-Za-z0-9_]*)+", name) or "__" in name:
        raise ConfigError(
            f"{text!r} is not a valid namespace: use letters, digits and single underscores, and no digit "
            "first, as in /dasha"
        )
    return name
