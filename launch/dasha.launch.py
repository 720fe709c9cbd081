"""``ros2 launch dasha_ros dasha.launch.py``: the graph of `dasha_ros.bringup.graph` as launch actions."""

import shlex

from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction, Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode

from dasha_ros.bringup import graph as bringup
from dasha_ros.bringup.rigs import RIGS
from dasha_ros.config import ConfigError
from dasha_ros.config.ros_value import parameter_text
from dasha_ros.freshness import limits
from launch import LaunchDescription

ARGUMENTS = {
    "namespace": (
        "dasha",
        "Namespace of all nodes, one per camera; below the one of PushRosNamespace, unless it begins with /.",
    ),
    "rig": ("", f"Devices: {', '.join(RIGS)}; empty: those of the parameter file, else the twin."),
    "params_file": ("", "ROS parameter file; `dasha config` prints one to start from."),
    "scene": ("", "Twin: name of a shipped scene or path of a YAML file."),
    "speed": ("", "Twin: speed of its clock relative to real time."),
    "encoder": ("", "Network that makes the latent vector."),
    "detector": ("", "Network that finds objects."),
    "exposure_policy": ("", "Policy of the exposure agent."),
    "focus_policy": ("", "Policy of the focus agent."),
    "mode": ("act", "act: the agents use their policies. learn: they learn from a trainer's goals."),
    "autostart": ("true", "false: a lifecycle manager configures and activates the nodes."),
    "log_level": ("info", ", ".join(bringup.LOG_LEVELS) + "."),
    "overrides": ("", "Space-separated, quoted as in a shell: NODE.PARAMETER=VALUE."),
}


def as_given(value):
    """A value that launch reads back unchanged: it parses strings as YAML and would turn "007" into 7."""
    if isinstance(value, list):
        return [as_given(item) for item in value]
    return parameter_text(value) if isinstance(value, str) else value


def end_if_misconfigured(event, context):
    """Shut down: a node with a wrong configuration would fail again after every restart."""
    if event.returncode != ConfigError.EXIT_CODE:
        return None
    return [Shutdown(reason=f"{event.process_name} has a configuration error; its last line says which")]


def namespace_below(pushed, given):
    """The full namespace. Nodes get it whole, because files and sockets of a graph are named after it."""
    return given if given.startswith("/") else f"{pushed.rstrip('/')}/{given}"


def start(context):
    given = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    options = {name: value for name, value in given.items() if value}
    pushed = context.launch_configurations.get("ros_namespace", "")
    options["namespace"] = namespace_below(pushed, given["namespace"])
    if options["autostart"] not in ("true", "false"):
        raise ValueError(f"autostart:={options['autostart']} is neither true nor false")
    options["autostart"] = options["autostart"] == "true"
    if "speed" in options:
        options["speed"] = float(options["speed"])
    mode = options.pop("mode")
    if mode not in ("act", "learn"):
        raise ValueError(f"mode:={mode} is neither act nor learn")
    options["learn"] = mode == "learn"
    if "overrides" in options:
        options["overrides"] = tuple(shlex.split(options["overrides"]))
    graph = bringup.describe(bringup.Options(**options))
    warnings = [LogInfo(msg=f"warning: {sentence}") for sentence in graph.warnings]
    return warnings + [
        LifecycleNode(
            package=bringup.PACKAGE,
            executable=process.executable,
            name=process.name,
            namespace=process.namespace,
            parameters=[{name: as_given(value) for name, value in process.parameters.items()}],
            remappings=list(process.remappings),
            ros_arguments=list(process.ros_arguments),
            additional_env=dict(process.environment),
            respawn=process.respawn,
            respawn_delay=bringup.RESPAWN_DELAY_S,
            sigterm_timeout=str(limits.LAUNCH_SIGTERM_S),
            sigkill_timeout=str(limits.LAUNCH_SIGKILL_S),
            on_exit=end_if_misconfigured,
            output="screen",
        )
        for process in graph.processes
    ]


def generate_launch_description():
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=description)
                for name, (default, description) in ARGUMENTS.items()
            ),
            OpaqueFunction(function=start),
        ]
    )
